-- One message. ARGV: id. Reply: nothing, or state (r g l d x f), member, value, e, v,
-- time ms. Where a leased message stands is found by a scan of what is in flight.
local id = ARGV[1]
local v = call('HGET', M, id)
if not v or is_tomb(v) then return {} end
local e = call('HGET', E, id) or ''
local failures = e ~= '' and byte(e, 1) or 0
local function member_of(losses) return id .. char(byte(v, 1) + 4 * losses, byte(v, 2), failures) end
local function reply(state, member, at) return { state, member, v, e, call('HGET', V, id) or '', at or '0' } end
for losses = 0, 2 do
  local member = member_of(losses)
  for state, set in pairs({ d = D, x = X, f = F }) do
    local at = call('ZSCORE', set, member)
    if at and state == 'f' and tonumber(at) <= now then return {} end
    if at then return reply(state, member, at) end
  end
end
local cursor = '0'
repeat
  local page = call('ZSCAN', L, cursor, 'COUNT', 1000)
  cursor = page[1]
  for i = 1, #page[2], 2 do
    if id_of(page[2][i]) == id then return reply('l', sub(page[2][i], 1, 19), page[2][i + 1]) end
  end
until cursor == '0'
local x = parse(v)
local holder = x.key and call('HGET', O, x.key)
return reply(holder and holder ~= id and 'g' or 'r', member_of(0))
