-- Lets a fence in unless a larger one was there, and writes with it.
--
-- KEYS[1]  hash with the fields fence and value
-- ARGV[1]  fence, 20 digits, so that the order of strings is that of numbers
-- ARGV[2]  value to write; absent: none
-- Reply    1, or 0 if a larger fence was there
-- Invariant: the fence never falls, and no value is written with a smaller one.
local seen = redis.call('HGET', KEYS[1], 'fence')
if seen and seen > ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'fence', ARGV[1])
if ARGV[2] then redis.call('HSET', KEYS[1], 'value', ARGV[2]) end
return 1
