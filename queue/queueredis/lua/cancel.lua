-- Cancels a message. Where it stands can be found it is removed; else, in flight or
-- deep in a long list, its value becomes a tombstone, which is removed where it is
-- met. ARGV: id, dedupe ms. Reply: 1, or 0 if there is no such message.
-- Invariant: a cancelled message never starts; its key opens once it left its place.
local id, DEEP = ARGV[1], 10000
local v = call('HGET', M, id)
if not v or is_tomb(v) then return 0 end
local x = parse(v)
local failures = byte(call('HGET', E, id) or '\0', 1)

local function remove(member, counter)
  call('HDEL', E, id)
  finish(member, v, counter, tonumber(ARGV[2]))
  write_counts()
  pass()
  return 1
end

local function from_list(list, member)
  return call('LLEN', list) <= DEEP and call('LREM', list, 1, member) == 1
end

for losses = 0, 2 do
  local member = id .. char(byte(v, 1) + 4 * losses, byte(v, 2), failures)
  if call('ZREM', F, member) == 1 then return remove(member) end
  if call('ZREM', X, member) == 1 or call('ZREM', D, member) == 1 or
      from_list(losses >= 2 and Z or KEYS[2 + byte(v, 1)], member) then
    return remove(member, 'canc')
  end
end
if x.key then
  local prefix = char(#x.key) .. x.key
  for _, w in ipairs(call('ZRANGEBYLEX', G, '[' .. prefix, '(' .. prefix .. '\255', 'LIMIT', 0, DEEP)) do
    local member = sub(w, #prefix + 7)
    if id_of(member) == id then
      call('ZREM', G, w)
      return remove(member, 'canc')
    end
  end
end

free_unique(id, x)
if x.nonce then call('ZADD', K, now + tonumber(ARGV[2]), id) end
call('HSET', M, id, '\255' .. sub(v, 2, x.size))
count('T')
write_counts()
return 1
