-- ARGV: schedule. Reply: its last tick, and the time, ms.
return { tonumber(call('HGET', T, ARGV[1]) or 0), now }
