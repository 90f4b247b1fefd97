-- Takes a fence for a lock that redislock has obtained.
--
-- KEYS[1]  the lock
-- KEYS[2]  fence counter
-- ARGV[1]  value that the lock has if it was obtained
-- Reply    the fence, or 0 if it was not obtained
-- Invariant: larger than every fence before, see queue.lua.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
local t = redis.call('TIME')
local fence = t[1] * 1000000 + t[2]
local last = tonumber(redis.call('GET', KEYS[2]) or 0)
if last >= fence then fence = last + 1 end
redis.call('SET', KEYS[2], string.format('%.0f', fence), 'EX', 86400)
return fence
