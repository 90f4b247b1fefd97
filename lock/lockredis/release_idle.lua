-- The usual case of release.lua, which stands with queue.lua behind this: nobody
-- waits. KEYS, ARGV, reply and invariants are theirs.
local call = redis.call
if call('EXISTS', KEYS[2]) == 0 and call('GET', KEYS[1]) == ARGV[1] then
  return call('DEL', KEYS[1])
end
