-- Gives the permit of a token back, or takes the token from the queue.
-- (semaphore_queue.lua stands before this.)
--
-- ARGV     token, ttl ms, how to tell others, permits
-- Reply    1 the token had a permit, or {0, 0, last fence or 0}
-- Invariant: nothing changes for others if the token has neither.
local token, ttl = ARGV[1], ARGV[2]
if redis.call('ZREM', holders, token) == 1 then
  serve('', tonumber(ARGV[4]))
  return 1
end
redis.call('LREM', queue, 0, token .. ':' .. ttl)
return {0, 0, tonumber(redis.call('GET', counter) or 0)}
