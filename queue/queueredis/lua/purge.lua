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
-- Plain messages go together.
local function drop_all(members)
  local ids = {}
  for _, member in ipairs(members) do
    if byte(member, 18) == 0 and tombs == 0 then ids[#ids + 1] = id_of(member) else drop(member) end
  end
  each_chunk(ids, function(...)
    local gone = call('HDEL', M, ...)
    count('purg', gone)
    purged = purged + gone
  end)
  for _, rest in ipairs({ E, V }) do
    if #ids > 0 and call('EXISTS', rest) == 1 then many('HDEL', rest, ids) end
  end
  n = n + #members
end

if ARGV[1] == 'r' then
  -- Waiters before their holders, whose end would make them ready.
  for _, w in ipairs(call('ZRANGE', G, 0, most - 1)) do
    call('ZREM', G, w)
    drop_all({ sub(w, byte(w, 1) + 8) })
  end
  for _, i in ipairs({ 6, 2, 3, 4, 5 }) do
    if n < most then drop_all(call('LPOP', KEYS[i], most - n) or {}) end
  end
else
  local set = ARGV[1] == 'd' and D or ARGV[1] == 'x' and X or F
  local members = call('ZRANGE', set, 0, most - 1)
  if #members > 0 then many('ZREM', set, members) end
  drop_all(members)
end
write_counts()
return { n, purged }
