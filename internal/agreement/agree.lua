-- Agree on the settings that all nodes of a cluster must share.
-- KEYS: 1 the settings in force
-- ARGV: 1 this node's settings  2 how long they stay in force, in milliseconds
-- Reply: the settings in force. Equal to ARGV[1]: agreed, and in force for
--        longer. Invariant: settings change only after no node has renewed them
--        for ARGV[2].
local theirs = redis.call('GET', KEYS[1])
if theirs and theirs ~= ARGV[1] then
  return theirs
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return ARGV[1]
