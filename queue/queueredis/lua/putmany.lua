-- Stores plain messages: no flags, no delay. The same as enqueue.lua, at a third of
-- its cost; it stands alone, without common.lua.
-- KEYS: m, r0..r3, w, s. ARGV: most messages (0 = any), length of the largest value
-- if over 4096 (else 0), then member and value behind its enqueue time.
-- Reply: flat list of what was refused: index from 0, 'f', ''.
-- Invariant: a repeated request (same ids) stores nothing twice.
local call, sub, char, byte, min = redis.call, string.sub, string.char, string.byte, math.min
local M, W, S = KEYS[1], KEYS[6], KEYS[7]
local time = call('TIME')
local now = time[1] * 1000 + time[2] / 1000
-- char drops fractions.
local stamp = char(now / 1099511627776 % 256, now / 4294967296 % 256, now / 16777216 % 256,
  now / 65536 % 256, now / 256 % 256, now % 256)
local most, largest = tonumber(ARGV[1]), tonumber(ARGV[2])
local room = most > 0 and most - call('HLEN', M) or #ARGV
local ids, there, chunk = {}, {}, 500
for i = 3, #ARGV, 2 do ids[#ids + 1] = sub(ARGV[i], 1, 16) end
for from = 1, #ids, chunk do
  local page = call('HMGET', M, unpack(ids, from, min(from + chunk - 1, #ids)))
  for i = 1, #page do there[from + i - 1] = page[i] end
end
local stored, values, lists, refused = 0, {}, { {}, {}, {}, {} }, {}
for i = 1, #ids do
  if not there[i] then
    if stored >= room then
      refused[#refused + 1] = i - 1
      refused[#refused + 1] = 'f'
      refused[#refused + 1] = ''
    else
      local member = ARGV[1 + 2 * i]
      local list = lists[byte(member, 17) + 1]
      stored = stored + 1
      values[2 * stored - 1] = ids[i]
      values[2 * stored] = sub(member, 17, 18) .. stamp .. ARGV[2 + 2 * i]
      list[#list + 1] = member
    end
  end
end
for from = 1, #values, chunk do
  call('HSET', M, unpack(values, from, min(from + chunk - 1, #values)))
end
for i = 1, 4 do
  for from = 1, #lists[i], chunk do
    call('RPUSH', KEYS[1 + i], unpack(lists[i], from, min(from + chunk - 1, #lists[i])))
  end
end
if stored > 0 then
  if largest > 0 and largest > tonumber(call('HGET', S, 'b') or 0) then call('HSET', S, 'b', largest) end
  if call('LLEN', W) == 0 then
    local settings = call('HMGET', S, 'p', 'h')
    if tonumber(settings[1] or 0) <= now and tonumber(settings[2] or 0) <= now then call('RPUSH', W, '') end
  end
end
return refused
