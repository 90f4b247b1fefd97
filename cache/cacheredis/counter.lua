-- Adds to a counter once per token.
-- KEYS  1 counter, 2 trace of the token
-- ARGV  1 delta, 2 ms that a new counter counts or -1, 3 ms that the trace stays
-- Reply: value, ms that it still counts (-1 for ever); or 'overflow'
if redis.call('EXISTS', KEYS[2]) == 0 then
  local known = redis.call('EXISTS', KEYS[1])
  local sum = redis.pcall('INCRBY', KEYS[1], ARGV[1])
  if type(sum) == 'table' and sum.err then
    if string.find(sum.err, 'overflow', 1, true) then
      return 'overflow'
    end
    return sum
  end
  if known == 0 and tonumber(ARGV[2]) >= 0 then
    redis.call('PEXPIRE', KEYS[1], ARGV[2])
  end
  redis.call('SET', KEYS[2], '', 'PX', ARGV[3])
end
return { redis.call('GET', KEYS[1]) or '0', redis.call('PTTL', KEYS[1]) }
