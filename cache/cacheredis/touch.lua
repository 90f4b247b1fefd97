-- Changes when an entry expires, and tells all nodes.
-- KEYS  1 meta, 2 tags, 3 ends of tags, 4 and 5 the stream's, 6 entry
-- ARGV  1-3 the stream's, 4 ms to be fresh for or -1, 5 message
-- Reply: the ordinal, or '' if there is no entry
local g = redis.call('HGET', KEYS[1], 'g') or ''
local tag = tag_reader(KEYS[2])
local e = redis.call('GET', KEYS[6])
if not live(e, g, tag) then
  return ''
end
local now = stamp(server_ms())
local ends, till = NEVER, NEVER
if tonumber(ARGV[4]) >= 0 then
  local was, gone = string.sub(e, 48, 60), string.sub(e, 61, 73)
  ends = stamp(now + ARGV[4])
  if was == NEVER then
    till = ends
  elseif gone ~= NEVER then
    till = stamp(now + ARGV[4] + gone - was)
  end
end
local n = stream_append(KEYS, 3, ARGV, 0, { ARGV[5] })[1]
each_tag(e, function(name, version)
  return hold_tag(KEYS[2], KEYS[3], tag, name, version, till, now)
end)
put(KEYS[6], string.sub(e, 1, 47) .. ends .. till .. string.sub(e, 74), till, now)
return n
