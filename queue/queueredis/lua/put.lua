-- Stores one plain message: no flags, no delay. The same as enqueue.lua, at half of
-- its cost; it stands alone, without common.lua.
-- KEYS: m, the list of its level, w, s. ARGV: member, value behind its enqueue time,
-- and, if there is a limit, most messages.
-- Reply: 1 if it was refused for the limit, else 0.
-- Invariant: a repeated request (same id) stores nothing twice.
local call, sub, char = redis.call, string.sub, string.char
local member = ARGV[1]
local time, id = call('TIME'), sub(member, 1, 16)
local now = time[1] * 1000 + time[2] / 1000
-- char drops fractions.
local stamp = char(now / 1099511627776 % 256, now / 4294967296 % 256, now / 16777216 % 256,
  now / 65536 % 256, now / 256 % 256, now % 256)
if ARGV[3] and call('HLEN', KEYS[1]) >= tonumber(ARGV[3]) then
  return 1 - call('HEXISTS', KEYS[1], id)
end
if call('HSETNX', KEYS[1], id, sub(member, 17, 18) .. stamp .. ARGV[2]) == 1 then
  call('RPUSH', KEYS[2], member)
  if call('LLEN', KEYS[3]) == 0 then
    local settings = call('HMGET', KEYS[4], 'p', 'h')
    if tonumber(settings[1] or 0) <= now and tonumber(settings[2] or 0) <= now then call('RPUSH', KEYS[3], '') end
  end
end
return 0
