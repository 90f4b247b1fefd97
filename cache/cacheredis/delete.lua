-- Deletes entries and the right of running loads to store them, and tells all
-- nodes. The deletion comes first: it works on a server without memory too.
-- KEYS  1 meta, 2 tags, 3 and 4 the stream's; then for each: entry, lease
-- ARGV  1-3 the stream's, then a message for each
-- Reply: number of entries that counted, ordinal
local g = redis.call('HGET', KEYS[1], 'g') or ''
local tag = tag_reader(KEYS[2])
local count, gone, message = 0, {}, {}
for i = 4, #ARGV do
  local k = 2 * i - 3
  if live(redis.call('GETRANGE', KEYS[k], 0, 32767), g, tag) then
    count = count + 1
  end
  gone[#gone + 1] = KEYS[k]
  gone[#gone + 1] = KEYS[k + 1]
  message[#message + 1] = ARGV[i]
end
redis.call('UNLINK', unpack(gone))
return { count, stream_append(KEYS, 2, ARGV, 0, { table.concat(message) })[1] }
