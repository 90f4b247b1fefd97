-- Reads entries and takes the load lease of those that are not fresh.
-- KEYS  1 meta, 2 tags, 3 the stream's state; then for each: entry, lease
-- ARGV  1 nonce for a new generation, 2 ms that a lease lasts, 3 '1' to take the
--       lease of fresh entries too; then a token for each
-- Reply: time in ms, generation; then for each: entry or '', 1 if the lease is the
--       caller's, ms that the lease of another one still lasts
local ms = server_ms()
local now = stamp(ms)
local g = generation_of(KEYS[1], ARGV[1])
local tag = tag_reader(KEYS[2])
local n = digits(redis.call('HGET', KEYS[3], 'n') or '0', 16)
local reply = { now, g }
for i = 4, #ARGV do
  local k = 2 * i - 4
  local e = redis.call('GET', KEYS[k])
  local there = live(e, g, tag)
  local granted, busy = 0, 0
  if ARGV[3] == '1' or not there or not fresh(e, now) then
    local lease = redis.call('GET', KEYS[k + 1])
    if not lease then
      redis.call('SET', KEYS[k + 1], ARGV[i] .. n .. g, 'PX', ARGV[2])
      granted = 1
    elseif string.sub(lease, 1, 16) == ARGV[i] then
      granted = 1 -- an earlier attempt of the same call
    else
      busy = redis.call('PTTL', KEYS[k + 1])
    end
  end
  reply[#reply + 1] = there and e or ''
  reply[#reply + 1] = granted
  reply[#reply + 1] = busy
end
return reply
