-- Takes a permit for a token, or gives the token a place in the queue.
-- (semaphore_queue.lua stands before this.)
--
-- ARGV     token, ttl ms, how to tell others, 1 to wait or 0, permits
-- Reply    {1, fence, waiters}        the token has a permit
--          {0, ms until a permit ends, waiters, 1, or 3 if the token was not in
--          the queue before}
-- Invariant: repeating the call with a token takes no second permit.
local token, ttl, wait = ARGV[1], ARGV[2], ARGV[4] == '1'
local permits = tonumber(ARGV[5])

if redis.call('ZSCORE', holders, token) then
  hold(token, ttl)
  return {1, next_fence(), redis.call('LLEN', queue)}
end
local fence = serve(token, permits)
if not fence and redis.call('ZCARD', holders) < permits then
  hold(token, ttl)
  fence = next_fence()
end
if fence then return {1, fence, redis.call('LLEN', queue)} end
local says = 1
if wait then
  local entry = token .. ':' .. ttl
  if not redis.call('LPOS', queue, entry) then
    redis.call('RPUSH', queue, entry)
    says = 3
  end
  redis.call('EXPIRE', queue, DAY)
end
local first = redis.call('ZRANGE', holders, 0, 0, 'WITHSCORES')
return {0, tonumber(first[2]) - now, redis.call('LLEN', queue), says}
