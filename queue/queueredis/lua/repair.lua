-- Mends one thing that a scan found, only while the queue is paused and nothing is
-- leased, and only if it is still so.
-- ARGV: what (i: a message that stands nowhere, p: a place whose message is gone,
-- o: a key with waiters whose holder is gone, u: a unique key of a message that is
-- gone, r: errors or records of a message that is gone), and of which: i, r: id;
-- p: number of the key, member; o, u: key.
-- Reply: 1 if it was mended, 0 if there was nothing to mend, -1 if the queue is at
-- work.
-- Invariant: what stands in its place is left alone.
if paused <= now or call('ZCARD', L) > 0 then return -1 end
local what = ARGV[1]

local function stands(id, v, failures)
  for level = is_tomb(v) and 0 or byte(v, 1), is_tomb(v) and 3 or byte(v, 1) do
    for losses = 0, 2 do
      local member = id .. char(level + 4 * losses, byte(v, 2), failures)
      for _, set in ipairs({ D, X, F }) do
        if call('ZSCORE', set, member) then return true end
      end
      if call('LPOS', losses == 2 and Z or KEYS[2 + level], member) then return true end
    end
  end
  local x = parse(v)
  if not x.key then return false end
  local prefix = char(#x.key) .. x.key
  for _, w in ipairs(call('ZRANGEBYLEX', G, '[' .. prefix, '(' .. prefix .. '\255')) do
    if id_of(sub(w, #prefix + 7)) == id then return true end
  end
  return false
end

local function restore(id)
  local v = call('HGET', M, id)
  local failures = byte(call('HGET', E, id) or '\0', 1)
  if not v or stands(id, v, failures) then return 0 end
  if is_tomb(v) then
    local x = parse(v)
    if x.key then open(x.key, id) end
    bury(id)
    return 1
  end
  local member, x = id .. char(byte(v, 1), byte(v, 2), failures), parse(v)
  if not waits(member, x) then push(member) end
  return 1
end

local function gone(id) return call('HEXISTS', M, id) == 0 end

local function forget(key, member)
  local id = id_of(key == G and sub(member, byte(member, 1) + 8) or member)
  if not gone(id) then return 0 end
  if call('TYPE', key).ok == 'list' then return call('LREM', key, 1, member) end
  return call('ZREM', key, member)
end

local mended = 0
if what == 'i' then
  mended = restore(ARGV[2])
elseif what == 'p' then
  mended = forget(KEYS[tonumber(ARGV[2])], ARGV[3])
elseif what == 'o' then
  local id = call('HGET', O, ARGV[2])
  if not id or gone(id) then
    open(ARGV[2], id)
    mended = 1
  end
elseif what == 'u' then
  local holder = call('HGET', U, ARGV[2])
  if holder and gone(sub(holder, 1, 16)) then mended = call('HDEL', U, ARGV[2]) end
elseif gone(ARGV[2]) then
  mended = max(call('HDEL', E, ARGV[2]), call('HDEL', V, ARGV[2]))
end
write_counts()
return mended
