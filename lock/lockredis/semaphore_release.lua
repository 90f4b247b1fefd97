-- Gives the permit of a token back, or takes the token from the queue.
-- (semaphore_queue.lua stands before this.)
--
-- ARGV     token, ttl ms, name in messages, channel prefix,
--          1 if receivers are counted or 0, life of an unheard grant ms, permits
-- Reply    {1} the token had a permit, or {0, 0, last fence or 0}
-- Invariant: nothing changes for others if the token has neither.
local token, ttl = ARGV[1], ARGV[2]
if redis.call('ZREM', holders, token) == 1 then
  serve('', tonumber(ARGV[7]), ARGV[3], ARGV[4], ARGV[5] == '1', tonumber(ARGV[6]))
  return {1}
end
redis.call('LREM', queue, 0, token .. ':' .. ttl)
return {0, 0, tonumber(redis.call('GET', counter) or 0)}
