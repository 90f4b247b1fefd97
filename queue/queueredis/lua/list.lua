-- A page of the messages of one state. ARGV: state (r g l d x f), offset, limit.
-- Reply: for each: member, value, e, v, time ms. One more than the limit may come.
local state, offset, limit = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local out = {}
local function add(member, at)
  local id = id_of(member)
  local v = call('HGET', M, id)
  if not v or is_tomb(v) then return end
  out[#out + 1] = sub(member, 1, 19)
  out[#out + 1] = v
  out[#out + 1] = call('HGET', E, id) or ''
  out[#out + 1] = call('HGET', V, id) or ''
  out[#out + 1] = at or '0'
end
if state == 'r' then
  for _, i in ipairs({ 6, 2, 3, 4, 5 }) do
    local n = call('LLEN', KEYS[i])
    if limit > 0 and offset < n then
      for _, member in ipairs(call('LRANGE', KEYS[i], offset, offset + limit - 1)) do
        add(member)
        limit = limit - 1
      end
    end
    offset = max(offset - n, 0)
  end
elseif state == 'g' then
  for _, w in ipairs(call('ZRANGE', G, offset, offset + limit - 1)) do add(sub(w, byte(w, 1) + 8)) end
else
  local set = ({ l = L, d = D, x = X, f = F })[state]
  local page = call('ZRANGE', set, offset, offset + limit - 1, 'WITHSCORES')
  for i = 1, #page, 2 do add(page[i], page[i + 1]) end
end
return out
