-- Makes dead messages ready, with all their attempts. ARGV: members...
-- Reply: flat list of what was refused: index from 0, 'n' or 'd', the id that has
-- the unique key.
local refused = {}
local function refuse(i, code, id)
  refused[#refused + 1] = i - 1
  refused[#refused + 1] = code
  refused[#refused + 1] = id
end
for i = 1, #ARGV do
  local member = ARGV[i]
  local id = id_of(member)
  local v = call('ZSCORE', X, member) and call('HGET', M, id)
  local x = v and parse(v)
  local taken = x and x.unique and hold_unique(id, x)
  if not v then
    refuse(i, 'n', '')
  elseif taken then
    refuse(i, 'd', taken)
  else
    call('ZREM', X, member)
    call('HDEL', E, id)
    count('redr')
    enter(with(member, 0, 0), x)
  end
end
write_counts()
pass()
return refused
