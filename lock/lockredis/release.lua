-- Passes the lock of a token on, or takes the token from the queue.
-- (queue.lua stands before this.)
--
-- ARGV     token, ttl ms, how to tell others (see queue.lua)
-- Reply    1                                        the token had the lock
--          {0, 1 if somebody has the lock or 0, last fence or 0}
-- Invariant: nothing changes for others if the token has neither.
local token, ttl = ARGV[1], ARGV[2]
if redis.call('GET', lock) == token then
  if not hand_on('') then
    redis.call('DEL', lock)
  end
  return 1
end
redis.call('LREM', queue, 0, token .. ':' .. ttl)
return {0, redis.call('EXISTS', lock), tonumber(redis.call('GET', counter) or 0)}
