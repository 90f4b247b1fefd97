-- An entry is one string; positions count from 1:
--   1      '\193'
--   2      '1' if it says that there is no value, else '0'
--   3-10   generation of the bucket at the time of the write
--  11-26   ordinal of the write, 16 digits
--  27-34   nonce of the write
--  35-47   time of the write, in ms of the server's clock, 13 digits
--  48-60   end of being fresh, likewise; NEVER if there is none
--  61-73   end of being there, likewise
--  74      number of tags; for each: length of its name, name, version (24)
--  then    length of the format's name, that name, checksum (8), value
-- A lease is token (16), ordinal (16) and generation (8) at its start.
-- The hash of tags has, by name: version (24: ordinal and nonce of the write that
-- made it) and end (13); the sorted set has the same ends as scores.
local NEVER = '9999999999999'

local function digits(s, width)
  return string.rep('0', width - #s) .. s
end

local function server_ms()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

local function stamp(ms)
  return string.format('%013.0f', ms)
end

-- generation_of(meta, nonce): the bucket's generation, made from nonce if lost:
-- then no entry from before counts.
local function generation_of(meta, nonce)
  local g = redis.call('HGET', meta, 'g')
  if not g then
    g = nonce
    redis.call('HSET', meta, 'g', g)
  end
  return g
end

-- tag_reader(tags): a function from a tag's name to its field, read once.
local function tag_reader(tags)
  local known = {}
  return function(name, value)
    if value ~= nil then
      known[name] = value
    elseif known[name] == nil then
      known[name] = redis.call('HGET', tags, name)
    end
    return known[name]
  end
end

-- each_tag(e, f) calls f(name, version) until it returns false. It returns the
-- position after the tags, or nil if f did or the entry is cut short.
local function each_tag(e, f)
  local at = 75
  for _ = 1, string.byte(e, 74) do
    local len = string.byte(e, at)
    if not len or not f(string.sub(e, at + 1, at + len), string.sub(e, at + len + 1, at + len + 24)) then
      return nil
    end
    at = at + len + 25
  end
  return at
end

-- live(e, g, tag): whether the entry is of this generation and its tags are what
-- they were when it was written.
local function live(e, g, tag)
  if not e or #e < 74 or string.sub(e, 1, 1) ~= '\193' or string.sub(e, 3, 10) ~= g then
    return false
  end
  return each_tag(e, function(name, version)
    local field = tag(name)
    return field and string.sub(field, 1, 24) == version
  end) ~= nil
end

local function fresh(e, now)
  return string.sub(e, 48, 60) > now
end

-- hold_tag(KEYS of tags and ends, tag, name, version, till, now): makes the tag, or
-- makes it last until the entry's end; returns its version. A tag is prolonged to
-- twice the time that is asked for, so that few writes have to.
local function hold_tag(tags, ends, tag, name, version, till, now)
  local field = tag(name)
  if field and string.sub(field, 25) >= till then
    return string.sub(field, 1, 24)
  end
  if field then
    version = string.sub(field, 1, 24)
  end
  local last = NEVER
  if till ~= NEVER then
    last = stamp(2 * tonumber(till) - tonumber(now))
  end
  redis.call('HSET', tags, name, version .. last)
  redis.call('ZADD', ends, last, name)
  tag(name, version .. last)
  for _, old in ipairs(redis.call('ZRANGEBYSCORE', ends, '-inf', now, 'LIMIT', 0, 4)) do
    redis.call('HDEL', tags, old)
    redis.call('ZREM', ends, old)
  end
  local top = redis.call('ZREVRANGE', ends, 0, 0, 'WITHSCORES')[2]
  if tonumber(top) >= tonumber(NEVER) then
    redis.call('PERSIST', tags)
    redis.call('PERSIST', ends)
  else
    redis.call('PEXPIREAT', tags, top)
    redis.call('PEXPIREAT', ends, top)
  end
  return version
end

-- put(key, e, till, now): stores an entry until its end.
local function put(key, e, till, now)
  if till == NEVER then
    redis.call('SET', key, e)
  else
    redis.call('SET', key, e, 'PX', math.max(tonumber(till) - tonumber(now), 1))
  end
end
