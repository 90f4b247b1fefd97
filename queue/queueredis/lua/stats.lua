-- Reply: now, r0..r3, z members (of which levels), waiting, leased, delayed, dead,
-- finished, tombstones, pause, enqueue time of the next, then the counters.
local out = { now }
local levels = { 0, 0, 0, 0 }
for i = 2, 5 do levels[i - 1] = call('LLEN', KEYS[i]) end
for _, member in ipairs(call('LRANGE', Z, 0, 9999)) do
  local i = level_of(member) + 1
  levels[i] = levels[i] + 1
end
for i = 1, 4 do out[#out + 1] = levels[i] end
out[#out + 1] = call('ZCARD', G)
out[#out + 1] = call('ZCARD', L)
out[#out + 1] = call('ZCARD', D)
out[#out + 1] = call('ZCARD', X)
out[#out + 1] = call('ZCARD', F)
out[#out + 1] = tombs
out[#out + 1] = paused
local oldest = 0
for _, i in ipairs({ 6, 2, 3, 4, 5 }) do
  local member = call('LINDEX', KEYS[i], 0)
  local v = member and call('HGET', M, id_of(member))
  if v then
    oldest = u48(v, 3)
    break
  end
end
out[#out + 1] = oldest
local names = { 'done', 'disc', 'exp', 'purg', 'canc', 'trim', 'retr', 'died', 'redr', 'laps' }
local counters, ends = {}, 0
for i, n in ipairs(call('HMGET', S, unpack(names))) do
  counters[i] = tonumber(n or 0)
  if i <= 6 then ends = ends + counters[i] end
end
-- What came in went out or is left; counting it would cost each enqueue a call.
out[#out + 1] = ends + call('HLEN', M) - call('ZCARD', F)
for i = 1, #counters do out[#out + 1] = counters[i] end
return out
