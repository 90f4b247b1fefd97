-- stream_create(state, log) -> first ordinal
-- Makes the state of a log that does not exist. Ordinals start at the time in
-- microseconds, so no two logs of one name ever share an ordinal, and the first
-- one names the log: its identity. Entries of an earlier log are removed.
local function stream_create(state, log)
  local now = redis.call('TIME')
  local base = now[1] * 1000000 + now[2]
  redis.call('DEL', log)
  redis.call('HSET', state, 'base', string.format('%.0f', base), 'n', string.format('%.0f', base))
  return base
end
