-- Makes the permit of a token last longer.
--
-- KEYS[1]  sorted set of holders' tokens, scored by their end in ms
-- KEYS[2]  list of waiting processes
-- KEYS[3]  fence counter
-- ARGV     token, ttl ms
-- Reply    {1, waiters} or {0} if the token does not have a permit
-- Invariant: never shortens a grant and never makes one.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local ends = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not ends or tonumber(ends) <= now then return {0} end
redis.call('ZADD', KEYS[1], 'GT', now + ARGV[2], ARGV[1])
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
redis.call('EXPIRE', KEYS[3], 86400)
return {1, redis.call('LLEN', KEYS[2])}
