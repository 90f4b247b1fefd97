-- Reads entries together with what says whether they count.
-- KEYS  1 meta, 2 tags, then the entries
-- Reply: time in ms, generation or '', then each entry, or '' if there is none
local g = redis.call('HGET', KEYS[1], 'g') or ''
local tag = tag_reader(KEYS[2])
local reply = { stamp(server_ms()), g }
for i = 3, #KEYS do
  local e = redis.call('GET', KEYS[i])
  reply[i] = live(e, g, tag) and e or ''
end
return reply
