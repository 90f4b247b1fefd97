-- The usual case of release.lua, which stands with queue.lua behind this: nobody
-- waits. KEYS, ARGV, reply and invariants are theirs.
if redis.call('EXISTS', KEYS[2]) == 0 and redis.call('GET', KEYS[1]) == ARGV[1] then
  redis.call('DEL', KEYS[1])
  return {1}
end
