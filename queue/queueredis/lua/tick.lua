-- Records a tick of a schedule and stores its message, in one step.
-- ARGV: schedule, tick ms, nonce, most messages, largest, message.
-- Reply: fired (0, 1), last tick, ms until the tick, what was refused.
-- Invariant: the last tick only grows and is never ahead of the clock.
local last, tick = tonumber(call('HGET', T, ARGV[1]) or 0), tonumber(ARGV[2])
if tick <= last then return { 0, last, 0, {} } end
if tick > now then return { 0, last, tick - now, {} } end
call('HSET', T, ARGV[1], ARGV[2])
local refused = insert(6, ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5]))
write_counts()
return { 1, tick, 0, refused }
