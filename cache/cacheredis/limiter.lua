-- Decides whether events may happen, by the generic cell rate algorithm, on the
-- server's clock, in µs. The key holds when the whole burst is free again.
-- KEYS  1 the limit's key
-- ARGV  1 events, 2 time of one event, 3 burst
-- Reply: 1 if allowed else 0, events that may happen at once, µs until it can be
local n, t, burst = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local full = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
local next = full + n * t
local over = next - now - burst * t
if over > 0 then
  return { 0, math.floor((burst * t - (full - now)) / t), over }
end
redis.call('SET', KEYS[1], string.format('%.0f', next), 'PX', math.ceil((next - now) / 1000))
return { 1, math.floor((burst * t - (next - now)) / t), 0 }
