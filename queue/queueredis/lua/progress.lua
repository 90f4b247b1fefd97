-- Notes the progress of a leased message. ARGV: receipt, progress. Reply: 1, or 0
-- if the lease is lost.
if not call('ZSCORE', L, ARGV[1]) then return 0 end
local id = id_of(ARGV[1])
if tombs > 0 and is_tomb(call('HGET', M, id)) then return 0 end
call('HSET', V, id, 'p' .. ARGV[2])
return 1
