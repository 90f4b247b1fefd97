-- Acknowledges finished messages, does what is due (lost leases, delays), and
-- leases ready messages.
-- ARGV: consumer, nonce, max, slots, held, lease ms, max in flight, rate n, per ms,
-- burst, dead limit, dead ms, dedupe ms, expired to dead (0, 1), receipts (joined).
-- Reply: lost receipts (index from 0), ms to the next chance (-1 unknown), state
-- (1 paused, 2 solo waiting), member and length (4) of each message, their values;
-- joined, since a thousand replies cost more than two.
-- Invariant: a repeated nonce gets the reply of its first call and changes nothing.
local consumer, nonce = ARGV[1], ARGV[2]
local want, slots, has, lease = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local most, rate, per, burst = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10])
local dead_limit, dead_for, dedupe = tonumber(ARGV[11]), tonumber(ARGV[12]), tonumber(ARGV[13])
local done = ARGV[15]
local RECEIPT = 27

local lost, taken, heads, values = {}, 0, {}, {}
local lengths = setmetatable({}, { __index = function(known, n)
  local packed = char(n / 16777216, n / 65536 % 256, n / 256 % 256, n % 256)
  known[n] = packed
  return packed
end })
local function give(member, v)
  taken = taken + 1
  heads[2 * taken - 1] = member
  heads[2 * taken] = lengths[#v]
  values[taken] = v
end
local function reply(next_in, state)
  return { lost, next_in, state, table.concat(heads), table.concat(values) }
end
local function id_list(members, n)
  local ids = {}
  for i = 1, n do ids[i] = sub(members[i], 1, 16) end
  return ids
end

local before = call('HGET', C, consumer)
if before and sub(before, 1, 8) == nonce then
  local ends, members = u48(before, 15), {}
  for _, r in ipairs(call('ZRANGEBYSCORE', L, ends, ends)) do
    if sub(r, 20) == nonce then members[#members + 1] = sub(r, 1, 19) end
  end
  local there = gather('HMGET', M, id_list(members, #members))
  for i = 1, #members do
    if there[i] then give(members[i], there[i]) end
  end
  for i = 21, #before, 2 do lost[#lost + 1] = byte(before, i) * 256 + byte(before, i + 1) end
  return reply(0, 0)
end

-- Acknowledge.
local function acknowledge()
  local receipts, gone, ids, failed, special = {}, {}, {}, {}, {}
  for i = 1, #done / RECEIPT do receipts[i] = sub(done, RECEIPT * (i - 1) + 1, RECEIPT * i) end
  local scores, mine, plain = gather('ZMSCORE', L, receipts), 0, 0
  for i = 1, #receipts do
    local r = receipts[i]
    if not scores[i] then
      lost[#lost + 1] = i - 1
    else
      mine = mine + 1
      gone[mine] = r
      local flags, failures = byte(r, 18, 19)
      if flags > 0 or tombs > 0 then
        special[#special + 1] = i
      else
        plain = plain + 1
        ids[plain] = id_of(r)
        if failures > 0 then failed[#failed + 1] = ids[plain] end
      end
    end
  end
  if #gone == 0 then return end
  many('ZREM', L, gone)
  unhold()
  if #ids > 0 then
    many('HDEL', M, ids)
    count('done', #ids)
    if call('EXISTS', V) == 1 then many('HDEL', V, ids) end
  end
  if #failed > 0 then many('HDEL', E, failed) end
  for _, i in ipairs(special) do
    local member = sub(receipts[i], 1, 19)
    local id = id_of(member)
    local v = call('HGET', M, id)
    if is_tomb(v) then
      lost[#lost + 1] = i - 1
      local x = parse(v)
      if x.key then open(x.key, id) end
      bury(id)
    else
      local x = parse(v)
      if x.retain then
        free_unique(id, x)
        if x.key then open(x.key, id) end
        call('ZADD', F, now + x.retain, member)
        count('done')
      else
        finish(member, v, 'done', dedupe)
      end
    end
  end
end
if done ~= '' then acknowledge() end

-- Lost leases. The first loss makes a suspect, the second makes it run alone, and
-- from then on each loss is an attempt. The first of them goes to the head last.
local first_lease = call('ZRANGE', L, 0, 0, 'WITHSCORES')
if first_lease[2] and tonumber(first_lease[2]) <= now then
  local lapsed = call('ZRANGEBYSCORE', L, '-inf', now, 'LIMIT', 0, 100)
  many('ZREM', L, lapsed)
  unhold()
  count('laps', #lapsed)
  for i = #lapsed, 1, -1 do
    local member = sub(lapsed[i], 1, 19)
    local id, failures, losses = id_of(member), byte(member, 19), losses_of(member)
    local v = (byte(member, 18) > 0 or tombs > 0 or losses >= 2) and call('HGET', M, id) or nil
    if v and is_tomb(v) then
      local x = parse(v)
      if x.key then open(x.key, id) end
      bury(id)
    elseif losses < 2 then
      push(with(member, failures, losses + 1), true)
    else
      failures = failures + 1
      member = with(member, failures, losses)
      if failures >= parse(v).most then
        die(member, v, 'lease lost', dead_limit, dedupe)
      else
        call('HSET', E, id, char(failures) .. 'lease lost')
        push(member, true)
      end
    end
  end
  first_lease = call('ZRANGE', L, 0, 0, 'WITHSCORES')
end

-- Delays that are over.
local first_due = call('ZRANGE', D, 0, 0, 'WITHSCORES')
if first_due[2] and tonumber(first_due[2]) <= now then
  local due = call('ZRANGEBYSCORE', D, '-inf', now, 'LIMIT', 0, 200)
  local ready = { {}, {}, {}, {} }
  many('ZREM', D, due)
  for _, member in ipairs(due) do
    local keyed = byte(member, 18) % 2 == 1
    if not (keyed and waits(member, parse(call('HGET', M, id_of(member))))) then
      local list = ready[level_of(member) + 1]
      list[#list + 1] = member
    end
  end
  for i = 1, 4 do if #ready[i] > 0 then many('RPUSH', KEYS[1 + i], ready[i]) end end
  first_due = call('ZRANGE', D, 0, 0, 'WITHSCORES')
end

-- Housekeeping, every ten seconds, or with the next claim where more is left.
if tonumber(settings[5] or 0) <= now then
  local PAGE, pause = 300, 10000
  local function expired(set, time)
    local page = call('ZRANGEBYSCORE', set, '-inf', time, 'LIMIT', 0, PAGE)
    if #page == PAGE then pause = 0 end
    if #page > 0 then call('ZREM', set, unpack(page)) end
    return page
  end
  expired(K, now)
  for _, member in ipairs(expired(F, now)) do
    finish(member, call('HGET', M, id_of(member)), nil, dedupe)
  end
  for _, member in ipairs(expired(X, now - dead_for)) do
    finish(member, call('HGET', M, id_of(member)), 'trim', dedupe)
  end
  call('HSET', S, 'K', now + pause)
  local all = call('HGETALL', C)
  for i = 1, #all, 2 do
    if u48(all[i + 1], 9) < now - 600000 then call('HDEL', C, all[i]) end
  end
end

-- How many may be leased.
local limit, rate_wait, tokens = want, nil, nil
if most > 0 then limit = min(limit, most - call('ZCARD', L)) end
if rate > 0 then
  local b = call('HMGET', S, 'rt', 'ra')
  tokens = min(burst, tonumber(b[1] or burst) + (now - tonumber(b[2] or now)) * rate / per)
  if tokens < 1 then rate_wait = max(1, math.ceil((1 - tokens) * per / rate)) end
  limit = min(limit, floor(tokens))
end
local state = paused > now and 1 or 0
if state == 1 then limit = 0 end
local ready = any_ready()

local ends, leases, bytes = now + lease, {}, 0
local ends_text = string.format('%.0f', ends) -- once, not for each of them

-- A message that cannot be leased after all: gone, cancelled or expired.
local function reject(member, v)
  if not v then return true end
  local id = id_of(member)
  if is_tomb(v) then
    local x = parse(v)
    if x.key then open(x.key, id) end
    bury(id)
    return true
  end
  local x = parse(v)
  if x.deadline and x.deadline <= now then
    if ARGV[14] == '1' then
      die(member, v, 'expired', dead_limit, dedupe)
    else
      finish(member, v, 'exp', dedupe)
    end
    return true
  end
  if x.start then free_unique(id, x) end
  return false
end

-- How many of the members are 4 MiB.
local function fit(members)
  if biggest <= 4096 then return #members end
  for i = 1, #members do
    bytes = bytes + call('HSTRLEN', M, id_of(members[i]))
    if bytes > 4194304 and taken + i > 1 then return i - 1 end
  end
  return #members
end

-- Leases from one list; true if the claim is over: suspects do not go beyond the
-- free workers. Few are looked at where a few may be too large.
local page = biggest > 4096 and 50 or 1000
local function take(list)
  while taken < limit do
    local members = call('LPOP', list, min(limit - taken, page))
    if not members then return false end
    local n = fit(members)
    local there = gather('HMGET', M, id_list(members, n))
    local next_one = 1
    while next_one <= n do
      local member, v = members[next_one], there[next_one]
      local level, flags = byte(member, 17, 18)
      if level >= 4 and level < 8 and taken >= slots then break end
      if not ((flags > 0 or tombs > 0 or not v) and reject(member, v)) then
        give(member, v)
        leases[2 * taken - 1] = ends_text
        leases[2 * taken] = member .. nonce
      end
      next_one = next_one + 1
    end
    if next_one <= #members then
      for i = #members, next_one, -1 do call('LPUSH', list, members[i]) end
      return true
    end
  end
  return true
end

if ready and limit > 0 then
  local alone = call('LLEN', Z) > 0
  if alone and has > 0 then
    state = 2
  else
    if alone then
      local all = limit
      limit = 1
      take(Z)
      limit = taken > 0 and 0 or all
    end
    for i = 2, 5 do if take(KEYS[i]) then break end end
  end
  if #leases > 0 then many('ZADD', L, leases) end
end
if tokens then
  call('HSET', S, 'rt', tokens - taken, 'ra', now)
  if tokens - taken < 1 then rate_wait = max(1, math.ceil((1 - tokens + taken) * per / rate)) end
end

local packed = {}
for i = 1, #lost do packed[i] = char(floor(lost[i] / 256), lost[i] % 256) end
call('HSET', C, consumer, nonce .. pack48(now) .. pack48(ends) .. table.concat(packed))

-- When another claim may succeed, and whether another consumer should look.
local next_at = NEVER
if first_due[2] then next_at = min(next_at, tonumber(first_due[2])) end
if first_lease[2] then next_at = min(next_at, tonumber(first_lease[2])) end
if paused > now then
  next_at = paused
elseif ready and any_ready() then
  if rate_wait then
    held = now + rate_wait
    next_at = min(next_at, held)
    call('HSET', S, 'h', held)
  elseif most > 0 and call('ZCARD', L) >= most then
    held = NEVER
    call('HSET', S, 'h', held)
  else
    unhold()
    if call('LLEN', W) == 0 then call('RPUSH', W, '') end
  end
elseif taken == want and next_at - now < IDLE and call('LLEN', W) == 0 then
  call('RPUSH', W, '') -- this caller may not be back in time
end
write_counts()
return reply(next_at == NEVER and -1 or max(next_at - now, 0), state)
