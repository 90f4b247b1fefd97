-- Makes the grant of a token last longer.
--
-- KEYS[1]  the lock
-- KEYS[2]  list of waiting processes
-- KEYS[3]  fence counter
-- ARGV     token, ttl ms
-- Reply    {1, waiters} or {0} if the token does not have the lock
-- Invariant: never shortens a grant and never makes one.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return {0} end
redis.call('PEXPIRE', KEYS[1], ARGV[2], 'GT')
redis.call('EXPIRE', KEYS[3], 86400)
return {1, redis.call('LLEN', KEYS[2])}
