-- Makes dead messages ready, with all their attempts. ARGV: ids...
-- Reply: flat list of what was refused: index from 0, 'n' or 'd', the id that has
-- the unique key.
local refused = {}
local function refuse(i, code, id)
  refused[#refused + 1] = i - 1
  refused[#refused + 1] = code
  refused[#refused + 1] = id
end

local function dead_member(id, v)
  local failures = byte(call('HGET', E, id) or '\0', 1)
  for losses = 0, 2 do
    local member = id .. char(byte(v, 1) + 4 * losses, byte(v, 2), failures)
    if call('ZSCORE', X, member) then return member end
  end
end

for i = 1, #ARGV do
  local id = ARGV[i]
  local v = call('HGET', M, id)
  local member = v and not is_tomb(v) and dead_member(id, v)
  local x = member and parse(v)
  local taken = x and x.unique and hold_unique(id, x)
  if not member then
    refuse(i, 'n', '')
  elseif taken then
    refuse(i, 'd', taken)
  else
    call('ZREM', X, member)
    call('HDEL', E, id)
    count('redr')
    member = with(member, 0, 0)
    if not waits(member, x) then push(member) end
  end
end
write_counts()
pass()
return refused
