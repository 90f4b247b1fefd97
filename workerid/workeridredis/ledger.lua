-- What acquire.lua, renew.lua and release.lua share; it is put before each.
--
-- KEYS[1]  hash: one field per number that was ever used, "epoch", and one field
--          "=token" per holder. In one key, so that no part of it can be evicted
--          without the rest.
-- KEYS[2]  sorted set: number -> expiry. An index: made again from the hash, and
--          gone with it.
-- ARGV     1 first  2 count  3 ttl  4 reach  5 lead  6 gap  7 rounding  8 skew
--          9 fingerprint  10 token  11 nonce; the rest belongs to the script.
--          Times are Unix milliseconds.
--
-- Invariant: within one epoch, a number's start is at or after the mark of each
-- holder before.

local terms = {
  first = tonumber(ARGV[1]), count = tonumber(ARGV[2]), ttl = tonumber(ARGV[3]),
  reach = tonumber(ARGV[4]), lead = tonumber(ARGV[5]), gap = tonumber(ARGV[6]),
  rounding = tonumber(ARGV[7]), skew = tonumber(ARGV[8]), fingerprint = ARGV[9],
}
local token, nonce = ARGV[10], ARGV[11]

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

-- The number of a time in full: Lua would round it.
local function text(number)
  return string.format('%.0f', number)
end

-- What changes whenever writes may have been lost: run_id at a restart,
-- master_replid at a failover or when another server's data came in. Empty if the
-- server has neither; nil if it does not tell.
local function identity()
  local info = redis.pcall('INFO', 'server', 'replication')
  if type(info) == 'table' then
    info = redis.pcall('INFO', 'server') -- miniredis knows neither section
    if type(info) == 'table' and string.find(info.err, 'is not supported', 1, true) then
      return ''
    end
    return nil
  end
  local _, run = string.find(info, 'run_id:', 1, true)
  local _, replication = string.find(info, 'master_replid:', 1, true)
  return (run and string.match(info, '^%w+', run + 1) or '')
    .. (replication and string.match(info, '^%w+', replication + 1) or '')
end

local function begin_epoch(server, began)
  local epoch = {id = text(now) .. '-' .. nonce, server = server or '', began = began}
  redis.call('HSET', KEYS[1], 'epoch',
    epoch.id .. ' ' .. epoch.server .. ' ' .. text(epoch.began) .. ' ' .. terms.fingerprint)
  epoch.blind = server == nil
  return epoch
end

-- The epoch that this request belongs to, or nil and the fingerprint of a
-- namespace that is configured otherwise. Then what stands in a field of the hash.
local function enter(fresh, field)
  local server = identity()
  local stored, value = unpack(redis.call('HMGET', KEYS[1], 'epoch', field))
  if not stored then
    local epoch = begin_epoch(server, fresh and 0 or now)
    epoch.first = true
    redis.call('DEL', KEYS[2]) -- if the hash was evicted alone
    return epoch, nil, value
  end
  local epoch, fingerprint = {blind = server == nil}, nil
  epoch.id, epoch.server, epoch.began, fingerprint = string.match(stored, '^(%S+) (%S*) (%S+) (.*)$')
  epoch.began = tonumber(epoch.began)
  if fingerprint ~= terms.fingerprint then
    return nil, fingerprint
  end
  if server and server ~= epoch.server then
    epoch = begin_epoch(server, now)
  end
  return epoch, nil, value
end

-- The time that a new holder keeps clear of: marks that may have been promised
-- and lost end there. Once the gap is over it is in the past, and matters only to
-- a node whose clock is behind.
local function forgotten(epoch)
  return (epoch.blind and now or epoch.began) + terms.gap - terms.rounding
end

-- The record of a number as the hash has it, or nil.
local function parse(raw)
  if not raw then
    return nil
  end
  local r = {}
  r.token, r.released, r.nonce, r.epoch, r.generation, r.start, r.mark, r.expires, r.holder =
    string.match(raw, '^(%S*) (%S*) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (.*)$')
  r.generation, r.start = tonumber(r.generation), tonumber(r.start)
  r.mark, r.expires = tonumber(r.mark), tonumber(r.expires)
  return r
end

local function load(id)
  return parse(redis.call('HGET', KEYS[1], id))
end

-- Writes r, and the fields that follow it.
local function store(id, r, ...)
  redis.call('HSET', KEYS[1], id, table.concat({
    r.token, r.released, r.nonce, r.epoch, text(r.generation),
    text(r.start), text(r.mark), text(r.expires), r.holder,
  }, ' '), ...)
  redis.call('ZADD', KEYS[2], text(r.expires), id)
end

-- Makes r the record of a number that another one may have held before.
local function replace(id, old, r)
  if old and old.token ~= '' then
    redis.call('HDEL', KEYS[1], '=' .. old.token)
  end
  store(id, r, '=' .. r.token, id)
end

local function granted(id, r)
  return {'granted', tonumber(id), r.generation, r.start, r.mark, r.expires, now, r.epoch}
end

-- Whether a text is one of ARGV[from] and those after it.
local function among(wanted, from)
  for i = from, #ARGV do
    if ARGV[i] == wanted then
      return true
    end
  end
  return false
end
