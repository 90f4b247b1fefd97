-- Stops claims until a time. ARGV: until ms; 0 ends a pause.
call('HSET', S, 'p', ARGV[1])
paused = tonumber(ARGV[1])
pass()
return 1
