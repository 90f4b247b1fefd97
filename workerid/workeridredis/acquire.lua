-- Grants a number to a token, always the same one until it is released.
--
-- KEYS, ARGV 1-11  see ledger.lua
-- ARGV  12 wall  13 seed  14 preferred, or -1  15 fresh ("1")  16 holder
--       17 how many holders to name  18 how far ahead a mark is poisoned
-- Reply {"granted", id, generation, start, mark, expires, now, epoch}
--       {"full", {id, generation, start, mark, expires, holder}...}
--       {"behind", numbers}  {"ahead", milliseconds}  {"mismatch", fingerprint}

local wall, seed, preferred = tonumber(ARGV[12]), tonumber(ARGV[13]), tonumber(ARGV[14])
local named, poisoned = tonumber(ARGV[17]), tonumber(ARGV[18])

if wall > now + poisoned then
  return {'ahead', wall - now}
end
-- A first request that was held up for a gap may come after a loss of data.
local fresh = ARGV[15] == '1' and now < wall + terms.gap
local epoch, theirs, held = enter(fresh, '=' .. token)
if not epoch then
  return {'mismatch', theirs}
end
local in_gap = epoch.blind or now < epoch.began + terms.gap

local function usable(r)
  return r.mark <= math.max(wall, now) + poisoned
end

-- After a loss of data the search begins at random: a number in use without a
-- record should keep its holder.
local function never_used()
  local used = redis.call('ZCARD', KEYS[2])
  if used >= terms.count then
    return nil
  end
  local from = in_gap and seed or used
  for i = 0, terms.count - 1 do
    local id = text(terms.first + (from + i) % terms.count)
    if not load(id) then
      return id
    end
  end
end

-- The usable number whose lease ended longest ago and its record, or nil and how
-- many are free but poisoned.
local function ended()
  local free = 0
  while true do
    local ids = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', text(now), 'LIMIT', free, 16)
    for _, id in ipairs(ids) do
      local r = load(id)
      if usable(r) then
        return id, r
      end
      free = free + 1
    end
    if #ids < 16 then
      return nil, free
    end
  end
end

-- Makes the index again, if it was evicted.
local function mend()
  if redis.call('ZCARD', KEYS[2]) >= terms.count then
    return false
  end
  for i = terms.first, terms.first + terms.count - 1 do
    local r = load(text(i))
    if r then
      redis.call('ZADD', KEYS[2], text(r.expires), text(i))
    end
  end
  return true
end

-- A number and its record, if it has one; or nil and how many are free but poisoned.
local function choose()
  if preferred >= 0 then
    local r = load(text(preferred))
    if not r or (r.expires <= now and usable(r)) then
      return text(preferred), r
    end
  end
  local id = never_used()
  if id then
    return id
  end
  local id, found = ended()
  if not id and found == 0 and mend() then
    return ended()
  end
  return id, found
end

local function full()
  local reply = {'full'}
  for _, id in ipairs(redis.call('ZRANGE', KEYS[2], 0, named - 1)) do
    local r = load(id)
    table.insert(reply, {tonumber(id), r.generation, r.start, r.mark, r.expires, r.holder})
  end
  return reply
end

local function floor(old)
  if (epoch.first and fresh) or (old and old.epoch == epoch.id and not epoch.blind) then
    return 0
  end
  return forgotten(epoch)
end

if held then
  local r = load(held)
  if r.epoch == epoch.id then
    r.expires = now + terms.ttl
    store(held, r)
    return granted(held, r)
  end
end

local id, old = choose()
if not id then
  if old > 0 then
    return {'behind', old}
  end
  return full()
end
local start = math.max(wall, floor(old), old and old.mark or 0)
local r = {
  token = token, released = '', nonce = nonce, epoch = epoch.id,
  generation = (old and old.generation or 0) + 1,
  start = start, mark = math.max(wall + terms.reach, start + terms.lead),
  expires = now + terms.ttl, holder = ARGV[16],
}
replace(id, old, r)
return granted(id, r)
