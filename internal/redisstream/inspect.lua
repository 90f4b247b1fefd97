-- Tells an onlooker how a log stands. Writes nothing.
-- KEYS[1]  hash of the state
-- KEYS[2]  stream of the entries
-- KEYS[3]  sorted set of members and the time at which each was last heard of,
--          in milliseconds
-- ARGV[1]  milliseconds after which a member that was not heard of is away
-- Reply: { now in ms, base or '0', n or '0', entries that are kept, ID of the
-- newest entry or '0-0', { member, heard in ms, ... } }
local now = redis.call('TIME')
local ms = now[1] * 1000 + math.floor(now[2] / 1000)
local state = redis.call('HMGET', KEYS[1], 'base', 'n')
local newest = '0-0'
for _, entry in ipairs(redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)) do
  newest = entry[1]
end
return {
  string.format('%.0f', ms), state[1] or '0', state[2] or '0', redis.call('XLEN', KEYS[2]), newest,
  redis.call('ZRANGEBYSCORE', KEYS[3], string.format('%.0f', ms - tonumber(ARGV[1])), '+inf', 'WITHSCORES'),
}
