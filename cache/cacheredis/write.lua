-- Writes entries whose conditions hold and tells all nodes, in one step: there is
-- no state in which a value is stored and its message is not.
-- KEYS  1 meta, 2 tags, 3 ends of tags, 4 and 5 the stream's; then for each
--       write: entry, lease
-- ARGV  1-3 the stream's, 4 nonce for a new generation; then for each write:
--       condition: '' none, 'a' no fresh entry, 'v' + ordinal + nonce of the
--         entry, 't' + token of the lease
--       fresh for, and then stale for, in ms; -1 for ever
--       absent '0' or '1'; nonce; keep '0' or '1' (times and tags of the entry)
--       body (format, checksum, value); message; number of tags, their names
-- Reply: for each write the ordinal, or '' if its condition does not hold. A lease
-- whose value is refused because of a tag ends: those who wait load anew.
local now = stamp(server_ms())
local g = generation_of(KEYS[1], ARGV[4])
local tag = tag_reader(KEYS[2])
local reply, todo, message, leases = {}, {}, {}, {}

-- unchanged(w, since): no tag of w was invalidated after ordinal since.
local function unchanged(w, since)
  if (redis.call('HGET', KEYS[1], 'tn') or '') <= since then
    return true
  end
  for _, name in ipairs(w.tags) do
    local field = tag(name)
    if not field or string.sub(field, 1, 16) > since then
      return false
    end
  end
  return true
end

local function holds(w)
  local kind, want = string.sub(w.condition, 1, 1), string.sub(w.condition, 2)
  if kind == 't' then
    local lease = redis.call('GET', w.lease)
    if lease and string.sub(lease, 1, 16) == want then
      local good = string.sub(lease, 33) == g and unchanged(w, string.sub(lease, 17, 32))
      w.over = not good
      return good
    end
  end
  local e = redis.call('GET', w.entry)
  if e and string.sub(e, 27, 34) == w.nonce then
    w.done = string.sub(e, 11, 26) -- an earlier attempt of the same write
    return false
  end
  local there = live(e, g, tag)
  w.old = e
  if kind == 'a' then
    return not (there and fresh(e, now))
  end
  return kind == 'v' and there and string.sub(e, 11, 34) == want
end

local a, k = 5, 6
while ARGV[a] do
  local w = {
    entry = KEYS[k], lease = KEYS[k + 1], condition = ARGV[a], ttl = tonumber(ARGV[a + 1]),
    stale = tonumber(ARGV[a + 2]), absent = ARGV[a + 3], nonce = ARGV[a + 4], keep = ARGV[a + 5] == '1',
    body = ARGV[a + 6], message = ARGV[a + 7], tags = {},
  }
  local count = tonumber(ARGV[a + 8])
  for i = 1, count do
    w.tags[i] = ARGV[a + 8 + i]
  end
  a, k = a + 9 + count, k + 2
  if w.condition == '' or holds(w) then
    todo[#todo + 1] = w
    reply[#reply + 1] = w
  else
    reply[#reply + 1] = w.done or ''
  end
  if w.over or type(reply[#reply]) == 'table' then
    message[#message + 1] = w.message
    leases[#leases + 1] = w.lease
  end
end
if #message == 0 then
  return reply
end

local n = digits(stream_append(KEYS, 3, ARGV, 0, { table.concat(message) })[1], 16)

local function times_of(w)
  if w.ttl < 0 then
    return NEVER, NEVER
  end
  return stamp(now + w.ttl), w.stale < 0 and NEVER or stamp(now + w.ttl + w.stale)
end

for _, w in ipairs(todo) do
  local head = { '\193', w.absent, g, n, w.nonce, now }
  local till
  if w.keep then
    till = string.sub(w.old, 61, 73)
    local last = each_tag(w.old, function() return true end)
    head[7] = string.sub(w.old, 48, last - 1)
  else
    head[7], till = times_of(w)
    head[8], head[9] = till, string.char(#w.tags)
    for _, name in ipairs(w.tags) do
      head[#head + 1] = string.char(#name)
      head[#head + 1] = name
      head[#head + 1] = hold_tag(KEYS[2], KEYS[3], tag, name, n .. w.nonce, till, now)
    end
  end
  head[#head + 1] = w.body
  put(w.entry, table.concat(head), till, now)
end
redis.call('DEL', unpack(leases))
for i, w in ipairs(reply) do
  if type(w) == 'table' then
    reply[i] = n
  end
end
return reply
