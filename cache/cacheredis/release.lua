-- Ends load leases without a value and wakes those who wait.
-- KEYS  1 and 2 the stream's, then the leases
-- ARGV  1-3 the stream's, then for each lease: token, message
local message = {}
for i = 3, #KEYS do
  local a = 2 * i - 2
  local lease = redis.call('GET', KEYS[i])
  if lease and string.sub(lease, 1, 16) == ARGV[a] then
    redis.call('DEL', KEYS[i])
    message[#message + 1] = ARGV[a + 1]
  end
end
if #message > 0 then
  stream_append(KEYS, 0, ARGV, 0, { table.concat(message) })
end
return #message
