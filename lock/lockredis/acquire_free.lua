-- The usual case of acquire.lua, which stands with queue.lua behind this: nobody
-- has the lock and nobody waits. It is first because the functions of the other
-- two cost more than what it does. KEYS, ARGV, reply and invariants are theirs.
if redis.call('EXISTS', KEYS[2]) == 0 and redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then
  local t = redis.call('TIME')
  local fence = t[1] .. string.sub('00000' .. t[2], -6)
  local last = redis.call('SET', KEYS[3], fence, 'EX', 86400, 'GET')
  if last and tonumber(last) >= tonumber(fence) then
    fence = string.format('%.0f', tonumber(last) + 1)
    redis.call('SET', KEYS[3], fence, 'EX', 86400)
  end
  return {1, tonumber(fence), 0}
end
