-- stream_append(keys, k, args, a, entries) -> { ordinal of the first entry, ID, ID, ... }
-- keys[k+1]  hash: base = ordinal before the first entry, n = ordinal of the newest
-- keys[k+2]  stream of the entries
-- args[a+1]  PUBLISH or SPUBLISH
-- args[a+2]  channel of the push
-- args[a+3]  number of entries that the stream keeps, about
-- entries    strings, at least one
-- The n of the hash is the ordinal of the newest entry that was ever stored, and
-- every stored entry has been pushed, with its ordinal and ID, in one message:
-- "<first ordinal> <count>\n", then "<ID> <length>\n<entry>" for each.
local function stream_append(keys, k, args, a, entries)
  local count = #entries
  local n = redis.call('HINCRBY', keys[k + 1], 'n', count)
  if n == count then
    n = stream_create(keys[k + 1], keys[k + 2]) + count
    redis.call('HSET', keys[k + 1], 'n', string.format('%.0f', n))
  end
  local first = n - count + 1
  local reply = { string.format('%.0f', first) }
  local push = { reply[1], ' ', count, '\n' }
  for i, entry in ipairs(entries) do
    local ordinal, id = string.format('%.0f', first + i - 1)
    if i < count then
      id = redis.call('XADD', keys[k + 2], '*', 'n', ordinal, 'e', entry)
    else -- one check of the length for all
      id = redis.call('XADD', keys[k + 2], 'MAXLEN', '~', args[a + 3], '*', 'n', ordinal, 'e', entry)
    end
    reply[i + 1] = id
    local at = #push
    push[at + 1], push[at + 2], push[at + 3] = id, ' ', #entry
    push[at + 4], push[at + 5] = '\n', entry
  end
  redis.call(args[a + 1], args[a + 2], table.concat(push))
  return reply
end
