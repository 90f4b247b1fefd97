-- KEYS[1]  sorted set of members and the time at which each was last heard of
-- ARGV[1]  milliseconds after which a member that was not heard of is away
-- Removes the members that are away and returns the others.
local now = redis.call('TIME')
local ms = now[1] * 1000 + math.floor(now[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. string.format('%.0f', ms - tonumber(ARGV[1])))
return redis.call('ZRANGE', KEYS[1], 0, -1)
