-- Invalidates tags: entries whose tag has no version, or another, do not count.
-- KEYS  1 meta, 2 tags, 3 ends of tags, 4 and 5 the stream's
-- ARGV  1-3 the stream's, 4 message, then the names
-- tn is the ordinal of the last invalidation: a value whose load began before it
-- is stored only if its tags are older than the load.
-- Reply: the ordinal
for i = 5, #ARGV do
  redis.call('HDEL', KEYS[2], ARGV[i])
  redis.call('ZREM', KEYS[3], ARGV[i])
end
local n = stream_append(KEYS, 3, ARGV, 0, { ARGV[4] })[1]
redis.call('HSET', KEYS[1], 'tn', digits(n, 16))
return n
