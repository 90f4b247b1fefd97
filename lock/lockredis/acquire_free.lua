-- The usual case of acquire.lua, which stands with queue.lua behind this: nobody
-- has the lock and nobody waits. It is first because the functions of the other
-- two cost more than what it does. KEYS, ARGV and invariants are theirs; a reply
-- that is a number is the fence of a grant for which nobody else waits.
local call = redis.call
if call('EXISTS', KEYS[2]) == 0 and call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then
  local t = call('TIME')
  local fence = t[1] * 1000000 + t[2]
  local last = tonumber(call('SET', KEYS[3], fence, 'EX', '86400', 'GET') or 0)
  if last >= fence then
    fence = last + 1
    call('SET', KEYS[3], fence, 'EX', '86400')
  end
  return fence
end
