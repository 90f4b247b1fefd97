-- Works on one Bloom filter: a string of a header and then the bits, at its full
-- length from the start, so that no part of it can be lost alone.
-- KEYS  1 the filter
-- ARGV  1 'reserve', 'add' or 'exists'; 2 header; 3 length of the string; then,
--       unless reserving: bits per item, and each item's bits by their places in the
--       string
-- Reply: a string, the header that is there instead ('' for none: not reserved, or
--       of another length); or else one number per item: 1 if a bit was (add) or is
--       (exists) not set
local size = tonumber(ARGV[3])
local there = redis.call('GETRANGE', KEYS[1], 0, #ARGV[2] - 1)
local whole = redis.call('STRLEN', KEYS[1])
if ARGV[1] == 'reserve' then
  if there == ARGV[2] and whole == size then
    return there
  end
  if there ~= '' and string.sub(there, 1, 4) == string.sub(ARGV[2], 1, 4) and whole > #there then
    return there
  end
  redis.call('DEL', KEYS[1])
  redis.call('SETRANGE', KEYS[1], size - 1, '\0')
  redis.call('SETRANGE', KEYS[1], 0, ARGV[2])
  return ARGV[2]
end
if there ~= ARGV[2] or whole ~= size then
  return there
end
local call, key, adding, bits = redis.call, KEYS[1], ARGV[1] == 'add', tonumber(ARGV[4])
local reply, last = {}, 4
for item = 1, (#ARGV - 4) / bits do
  local missing = 0
  for i = last + 1, last + bits do
    if adding then
      if call('SETBIT', key, ARGV[i], '1') == 0 then
        missing = 1
      end
    elseif call('GETBIT', key, ARGV[i]) == 0 then
      missing = 1
      break
    end
  end
  reply[item] = missing
  last = last + bits
end
return reply
