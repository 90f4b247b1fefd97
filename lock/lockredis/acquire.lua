-- Takes the lock for a token, or gives the token a place in the queue.
-- (queue.lua stands before this.)
--
-- ARGV     token, ttl ms, how to tell others (see queue.lua), 1 to wait or 0
-- Reply    {1, fence, waiters}                      the token has the lock
--          {0, pttl of the holder, waiters, 1 if the holder hands on or 0, and 2
--          more if the token was not in the queue before}
-- Invariant: repeating the call with a token changes nothing but its expiry.
local token, ttl, wait = ARGV[1], ARGV[2], ARGV[4] == '1'

local owner = redis.call('SET', lock, token, 'NX', 'PX', ttl, 'GET')
if owner == token then
  redis.call('PEXPIRE', lock, ttl, 'GT')
  local fence = tonumber(redis.call('GET', counter) or 0)
  if fence == 0 then fence = next_fence() end
  return {1, fence, redis.call('LLEN', queue)}
end
if not owner then
  local fence
  owner, fence = hand_on(token)
  if not owner then return {1, next_fence(), 0} end
  if owner == token then return {1, fence, redis.call('LLEN', queue)} end
end
local hands_on, joined = #owner == TOKEN, 0
if wait then
  local entry = token .. ':' .. ttl
  if not redis.call('LPOS', queue, entry) then
    joined = 2
    if redis.call('RPUSH', queue, entry) == 1 and hands_on then tell(owner, 'w ' .. owner) end
  end
  redis.call('EXPIRE', queue, DAY)
end
return {0, redis.call('PTTL', lock), redis.call('LLEN', queue), (hands_on and 1 or 0) + joined}
