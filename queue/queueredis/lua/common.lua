-- Shared by all scripts of a queue; a script is this text and its own.
--
-- KEYS  1 m   hash   id -> value
--       2-5   list   r0..r3: ready members by level, urgent first
--       6 z   list   ready members that must run alone
--       7 l   zset   receipt -> end of lease, ms
--       8 d   zset   member -> due, ms
--       9 x   zset   dead member -> time of death, ms
--      10 f   zset   finished member -> when it is forgotten, ms
--      11 e   hash   id -> failures (1 byte), last error
--      12 v   hash   id -> 'p' progress | 'r' result
--      13 c   hash   consumer -> nonce (8), seen (6), lease end (6), lost (2 each)
--      14 k   zset   id of an ended message -> until when it is remembered, ms
--      15 u   hash   unique key -> id (16), until (6)
--      16 g   zset   FIFO waiters, by LEX: len, key, sequence (6), member
--      17 o   hash   FIFO key -> id of its holder
--      18 w   list   at most one wake token
--      19 s   hash   counters and settings, see below
--      20 t   hash   schedule -> last tick, ms
--
-- member   id (16), level + 4 * losses, flags, failures                  19 bytes
-- receipt  member, nonce of the claim (8); in l only                    27 bytes
-- value    level, flags, enqueued (6), extras, envelope
-- flags    1 key, 2 unique, 4 expires, 8 given id, 16 retain
-- extras   by flag 4 deadline (6); max attempts; by flag 16 retain ms (6),
--          8 nonce (8), 1 len key, 2 until start (1) ttl ms (6) len unique key
-- A value whose level is 255 is a tombstone: cancelled, without an envelope.
--
-- s  p paused until ms   h no claim succeeds before ms   b largest value, if > 4096
--    T tombstones   q sequence   K next housekeeping ms   rt, ra rate tokens and time
--    counters: done disc exp purg canc trim retr died redr laps
--
-- Invariant: an id that m holds stands in exactly one of r0..r3 z l d x f g, or is
-- a tombstone that stands there until it is met.
local call, byte, sub, char, floor, max, min =
  redis.call, string.byte, string.sub, string.char, math.floor, math.max, math.min
local M, Z, L, D, X, F, E, V = KEYS[1], KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10], KEYS[11], KEYS[12]
local C, K, U, G, O, W, S, T = KEYS[13], KEYS[14], KEYS[15], KEYS[16], KEYS[17], KEYS[18], KEYS[19], KEYS[20]
local NEVER = 9007199254740991
local IDLE = 1000 -- ms that an idle consumer waits without asking again

local time = call('TIME')
local now = time[1] * 1000 + floor(time[2] / 1000)

-- Big-endian integers of 6 bytes; char drops fractions.
local function pack48(n)
  return char(n / 1099511627776 % 256, n / 4294967296 % 256, n / 16777216 % 256,
    n / 65536 % 256, n / 256 % 256, n % 256)
end
local function u48(s, i)
  local a, b, c, d, e, f = byte(s, i, i + 5)
  return ((((a * 256 + b) * 256 + c) * 256 + d) * 256 + e) * 256 + f
end

-- Commands with many arguments, in chunks that unpack can take.
local CHUNK = 1000
local function each_chunk(list, f)
  for i = 1, #list, CHUNK do f(unpack(list, i, min(i + CHUNK - 1, #list))) end
end
local function many(cmd, key, list)
  each_chunk(list, function(...) call(cmd, key, ...) end)
end
local function gather(cmd, key, list)
  if #list <= CHUNK then return #list > 0 and call(cmd, key, unpack(list)) or {} end
  local all = {}
  each_chunk(list, function(...)
    for _, v in ipairs({ call(cmd, key, ...) }) do for i = 1, #v do all[#all + 1] = v[i] end end
  end)
  return all
end

local settings = call('HMGET', S, 'p', 'h', 'b', 'T', 'K')
local paused = tonumber(settings[1] or 0)
local held = tonumber(settings[2] or 0)
local biggest = tonumber(settings[3] or 0)
local tombs = tonumber(settings[4] or 0)

local counts = {}
local function count(name, n) counts[name] = (counts[name] or 0) + (n or 1) end
local function write_counts()
  for name, n in pairs(counts) do if n ~= 0 then call('HINCRBY', S, name, n) end end
end

-- What a value says behind its head.
local function parse(v)
  local flags, p, x = byte(v, 2), 9, {}
  if floor(flags / 4) % 2 == 1 then x.deadline, p = u48(v, p), p + 6 end
  x.most, p = byte(v, p), p + 1
  if floor(flags / 16) % 2 == 1 then x.retain, p = u48(v, p), p + 6 end
  if floor(flags / 8) % 2 == 1 then x.nonce, p = sub(v, p, p + 7), p + 8 end
  if flags % 2 == 1 then
    local n = byte(v, p)
    x.key, p = sub(v, p + 1, p + n), p + 1 + n
  end
  if floor(flags / 2) % 2 == 1 then
    local n = byte(v, p + 7)
    x.start, x.ttl, x.unique, p = byte(v, p) == 1, u48(v, p + 1), sub(v, p + 8, p + 7 + n), p + 8 + n
  end
  x.size = p - 1
  return x
end

local function id_of(member) return sub(member, 1, 16) end
local function losses_of(member) return floor(byte(member, 17) / 4) end
local function level_of(member) return byte(member, 17) % 4 end
local function with(member, failures, losses)
  return id_of(member) .. char(level_of(member) + 4 * losses, byte(member, 18), failures)
end
local function is_tomb(v) return byte(v, 1) == 255 end

local function push(member, head)
  local list = losses_of(member) >= 2 and Z or KEYS[2 + level_of(member)]
  call(head and 'LPUSH' or 'RPUSH', list, member)
end

-- A tombstone is met.
local function bury(id)
  call('HDEL', M, id)
  call('HDEL', E, id)
  call('HDEL', V, id)
  count('T', -1)
  count('canc')
  tombs = tombs - 1
end

-- The key of an ended message goes to its next waiter.
local function open(key, id)
  if call('HGET', O, key) ~= id then return end
  local prefix = char(#key) .. key
  while true do
    local w = call('ZRANGEBYLEX', G, '[' .. prefix, '(' .. prefix .. '\255', 'LIMIT', 0, 1)[1]
    if not w then
      call('HDEL', O, key)
      return
    end
    call('ZREM', G, w)
    local member = sub(w, #prefix + 7)
    local nid = id_of(member)
    local v = tombs > 0 and call('HGET', M, nid)
    if v and is_tomb(v) then
      bury(nid)
    else
      call('HSET', O, key, nid)
      push(member)
      return
    end
  end
end

-- A message that is due joins the line of its key; true if others are before it.
local function waits(member, x)
  if not (x and x.key) then return false end
  local id, holder = id_of(member), call('HGET', O, x.key)
  if holder and holder ~= id then
    local seq = call('HINCRBY', S, 'q', 1)
    call('ZADD', G, 0, char(#x.key) .. x.key .. pack48(seq) .. member)
    return true
  end
  if not holder then call('HSET', O, x.key, id) end
  return false
end

local function free_unique(id, x)
  if x.unique then
    local h = call('HGET', U, x.unique)
    if h and sub(h, 1, 16) == id then call('HDEL', U, x.unique) end
  end
end

-- Another live holder of the unique key, or nil once it is ours.
local function hold_unique(id, x)
  local h = call('HGET', U, x.unique)
  if h and u48(h, 17) > now and sub(h, 1, 16) ~= id then return sub(h, 1, 16) end
  call('HSET', U, x.unique, id .. pack48(now + x.ttl))
end

-- The end of a message, whose member has left its place. v may be nil if the
-- member has no flags. Without a counter it was counted before.
local function finish(member, v, counter, dedupe)
  local id = id_of(member)
  if counter then count(counter) end
  if byte(member, 18) > 0 and v then
    local x = parse(v)
    free_unique(id, x)
    if x.key then open(x.key, id) end
    if x.nonce then call('ZADD', K, now + dedupe, id) end
  end
  call('HDEL', M, id)
  call('HDEL', V, id)
  if byte(member, 19) > 0 or counter == 'trim' or counter == 'purg' then call('HDEL', E, id) end
end

-- A message is dead; the oldest go when there are too many.
local function die(member, v, reason, limit, dedupe)
  local id = id_of(member)
  if byte(member, 18) > 0 then
    local x = parse(v)
    free_unique(id, x)
    if x.key then open(x.key, id) end
  end
  call('ZADD', X, now, member)
  call('HSET', E, id, sub(member, 19, 19) .. reason)
  count('died')
  if call('ZCARD', X) > limit then
    local oldest = call('ZRANGE', X, 0, 0)[1]
    call('ZREM', X, oldest)
    finish(oldest, call('HGET', M, id_of(oldest)), 'trim', dedupe)
  end
end

local function any_ready() return call('EXISTS', KEYS[2], KEYS[3], KEYS[4], KEYS[5], Z) > 0 end

-- Leave a token if a claim would bring something.
local function pass()
  if paused <= now and held <= now and call('LLEN', W) == 0 and any_ready() then call('RPUSH', W, '') end
end

-- A lease ended: a limit may have room again.
local function unhold()
  if held > 0 then
    call('HDEL', S, 'h')
    held = 0
  end
end

-- Something is due at that time: idle consumers must look earlier than they would.
local function announce(due)
  if due - now < IDLE and call('LLEN', W) == 0 then
    local first = call('ZRANGE', D, 0, 0, 'WITHSCORES')
    if first[2] and tonumber(first[2]) >= due then call('RPUSH', W, '') end
  end
end
