-- Tells a reader where the log stands, and what follows the reader's cursor.
-- KEYS[1]  hash of the state, made here if it does not exist
-- KEYS[2]  stream of the entries
-- KEYS[3]  sorted set of members and the time at which each was last heard of,
--          in milliseconds; only with ARGV[4]
-- ARGV[1]  ID of the entry at the cursor
-- ARGV[2]  ID after which the page starts
-- ARGV[3]  number of entries of the page, 0 for none
-- ARGV[4]  name of the member that asks, or empty
-- ARGV[5]  milliseconds after which a member that was not heard of is away
-- Reply: { run of the server, base, n, ID of the newest entry, ordinal of the
-- entry at the cursor or '', page = { { ID, ordinal, entry }, ... }, 1 if the
-- member was away }. An entry that is not of this package has an empty ordinal.
-- The run is another whenever writes may have been lost: at a restart by its run_id,
-- and when a replica takes over, even one that was the master before, by the place
-- at which it left the history of its master.
local run = ''
local info = redis.pcall('INFO', 'server', 'replication')
if type(info) == 'string' then
  run = (string.match(info, 'run_id:(%w+)') or '') .. (string.match(info, 'second_repl_offset:(%d+)') or '')
  if string.find(info, 'role:slave', 1, true) then
    return redis.error_reply('READONLY a replica does not know the state of the log')
  end
end

local state = redis.call('HMGET', KEYS[1], 'base', 'n')
if not state[1] then
  local base = string.format('%.0f', stream_create(KEYS[1], KEYS[2]))
  state = { base, base }
end

local function ordinal(fields)
  if #fields == 4 and fields[1] == 'n' and fields[3] == 'e' and string.match(fields[2], '^%d+$') then
    return fields[2]
  end
  return ''
end

local newest = '0-0'
for _, entry in ipairs(redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)) do
  newest = entry[1]
end

local at = ''
if ARGV[1] == newest and newest == '0-0' then
  at = state[2]
else
  for _, entry in ipairs(redis.call('XRANGE', KEYS[2], ARGV[1], ARGV[1])) do
    at = ordinal(entry[2])
  end
end

local page = {}
if tonumber(ARGV[3]) > 0 and newest ~= ARGV[2] then
  for i, entry in ipairs(redis.call('XRANGE', KEYS[2], '(' .. ARGV[2], '+', 'COUNT', ARGV[3])) do
    local n = ordinal(entry[2])
    page[i] = { entry[1], n, n ~= '' and entry[2][4] or '' }
  end
end

local away = 0
if ARGV[4] ~= '' then
  local now = redis.call('TIME')
  local ms = now[1] * 1000 + math.floor(now[2] / 1000)
  local heard = redis.call('ZSCORE', KEYS[3], ARGV[4])
  if not heard or tonumber(heard) < ms - tonumber(ARGV[5]) then
    away = 1
  end
  redis.call('ZADD', KEYS[3], string.format('%.0f', ms), ARGV[4])
end

return { run, state[1], state[2], newest, at, page, away }
