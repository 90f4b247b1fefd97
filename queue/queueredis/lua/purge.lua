-- Removes messages of one state, a page at a time.
-- ARGV: state (r d x f), most, dedupe ms. Reply: how many left the state.
local most, dedupe, n, purged = tonumber(ARGV[2]), tonumber(ARGV[3]), 0, 0
local function drop(member)
  local id = id_of(member)
  local v = call('HGET', M, id)
  if v and is_tomb(v) then
    local x = parse(v)
    if x.key then open(x.key, id) end
    bury(id)
  elseif v then
    purged = purged + 1
    finish(member, v, ARGV[1] ~= 'f' and 'purg' or nil, dedupe)
  end
end
if ARGV[1] == 'r' then
  local function waiter()
    local w = call('ZRANGE', G, 0, 0)[1]
    if not w then return nil end
    call('ZREM', G, w)
    return sub(w, byte(w, 1) + 8)
  end
  while n < most do
    local member = waiter() -- before their holders, whose end would make them ready
    for _, i in ipairs({ 6, 2, 3, 4, 5 }) do
      if member then break end
      member = call('LPOP', KEYS[i])
    end
    if not member then break end
    n = n + 1
    drop(member)
  end
else
  local set = ARGV[1] == 'd' and D or ARGV[1] == 'x' and X or F
  local members = call('ZRANGE', set, 0, most - 1)
  if #members > 0 then many('ZREM', set, members) end
  for _, member in ipairs(members) do drop(member) end
  n = #members
end
write_counts()
return { n, purged }
