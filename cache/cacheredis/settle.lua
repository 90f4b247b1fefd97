-- Settles with which generation the entries of this server count. A server that
-- took over, or came back, may lack writes that its predecessor acknowledged:
-- then no entry from before counts.
-- KEYS  1 meta
-- ARGV  1 run id of the server, 2 nonce for a new generation, 3 '1' to keep the
--       entries of another server, 4 number of buckets
-- Reply: generation, time in ms, number of buckets
local m = redis.call('HMGET', KEYS[1], 'g', 'run', 'buckets')
if not m[1] or (m[2] and m[2] ~= ARGV[1] and ARGV[3] ~= '1') then
  m[1] = ARGV[2]
  redis.call('HSET', KEYS[1], 'g', m[1])
end
if m[2] ~= ARGV[1] then
  redis.call('HSET', KEYS[1], 'run', ARGV[1])
end
if not m[3] then
  m[3] = ARGV[4]
  redis.call('HSET', KEYS[1], 'buckets', m[3])
end
return { m[1], string.format('%.0f', server_ms()), m[3] }
