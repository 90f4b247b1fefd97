-- Ends leases otherwise than by plain done.
-- ARGV: dead limit, dedupe ms, then five of each: verb (o done, t retry, s snooze,
-- r release, x discard, k dead), receipt, delay ms, reason, result.
-- Reply: the items whose lease was lost, index from 0.
-- Invariant: only the receipt that l holds moves its message.
local dead_limit, dedupe = tonumber(ARGV[1]), tonumber(ARGV[2])
local lost, released, earliest, settled = {}, {}, nil, 0

local function again(member, v, delay)
  if delay > 0 then
    call('ZADD', D, now + delay, member)
    earliest = min(earliest or now + delay, now + delay)
  else
    push(member)
  end
end

local function done(member, v, result)
  local x = parse(v)
  local id = id_of(member)
  if not x.retain then return finish(member, v, 'done', dedupe) end
  free_unique(id, x)
  if x.key then open(x.key, id) end
  if result ~= '' then call('HSET', V, id, 'r' .. result) end
  call('ZADD', F, now + x.retain, member)
  count('done')
end

local function settle(verb, receipt, delay, reason, result)
  local member = sub(receipt, 1, 19)
  local id, failures = id_of(member), byte(member, 19)
  local v = call('HGET', M, id)
  if is_tomb(v) then
    local x = parse(v)
    if x.key then open(x.key, id) end
    bury(id)
    return false
  end
  if verb == 'r' then
    released[#released + 1] = member
  elseif verb == 'o' then
    done(member, v, result)
  elseif verb == 's' then
    again(with(member, failures, 0), v, delay)
  else
    member = with(member, min(failures + 1, 255), 0)
    if verb == 't' then
      call('HSET', E, id, sub(member, 19, 19) .. reason)
      count('retr')
      again(member, v, delay)
    elseif verb == 'x' then
      finish(member, v, 'disc', dedupe)
    else
      die(member, v, reason, dead_limit, dedupe)
    end
  end
  return true
end

for i = 3, #ARGV, 5 do
  if call('ZREM', L, ARGV[i + 1]) == 0 then
    lost[#lost + 1] = (i - 3) / 5
  else
    settled = settled + 1
    if not settle(ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2]), ARGV[i + 3], ARGV[i + 4]) then
      lost[#lost + 1] = (i - 3) / 5
    end
  end
end
for i = #released, 1, -1 do push(released[i], true) end -- the first goes to the head last
if #released > 0 and call('HEXISTS', S, 'rt') == 1 then call('HINCRBYFLOAT', S, 'rt', #released) end
if settled > 0 then unhold() end
write_counts()
pass()
if earliest then announce(earliest) end
return lost
