-- insert stores the messages of ARGV[first..], three arguments each: member, when
-- ('' or 'due deadline', each '-', '+ms' from now or '@ms'), and the value behind
-- its enqueue time. Returns a flat list of what was refused: index from 0, 'd' or
-- 'f', and the id that is there.
local function at(spec)
  local n = tonumber(sub(spec, 2))
  if sub(spec, 1, 1) == '+' then return now + n end
  return sub(spec, 1, 1) == '@' and n or nil
end

local function insert(first, nonce, limit, largest)
  local ids, refused, mine = {}, {}, {}
  for i = first, #ARGV, 3 do ids[#ids + 1] = id_of(ARGV[i]) end
  local there = gather('HMGET', M, ids)
  local room = limit > 0 and limit - call('HLEN', M) or NEVER
  local stamp, values, ready, earliest = pack48(now), {}, { {}, {}, {}, {} }, nil
  local pushed = 0
  local function refuse(i, code, id)
    refused[#refused + 1] = i - 1
    refused[#refused + 1] = code
    refused[#refused + 1] = id
  end
  for i = 1, #ids do
    local a = first + (i - 1) * 3
    local member, when, rest, id = ARGV[a], ARGV[a + 1], ARGV[a + 2], ids[i]
    local flags, due, deadline = byte(member, 18), nil, nil
    if when ~= '' then
      local d, e = string.match(when, '^(%S+) (%S+)$')
      due, deadline = at(d), at(e)
    end
    local v = sub(member, 17, 18) .. stamp .. (deadline and pack48(max(deadline, 0)) or '') .. rest
    local x = flags > 0 and parse(v) or nil
    local given = x and x.nonce
    if there[i] or mine[id] then
      -- A repeated request of our own finds its messages; that is no conflict.
      if given and (mine[id] or is_tomb(there[i]) or parse(there[i]).nonce ~= nonce) then refuse(i, 'd', id) end
    elseif given and tonumber(call('ZSCORE', K, id) or 0) > now then
      refuse(i, 'd', id)
    elseif room <= 0 then
      refuse(i, 'f', '')
    else
      local taken = x and x.unique and hold_unique(id, x)
      if taken then
        refuse(i, 'd', taken)
      else
        mine[id] = true
        room = room - 1
        values[#values + 1] = id
        values[#values + 1] = v
        if due and due > now then
          call('ZADD', D, due, member)
          earliest = min(earliest or due, due)
        elseif not waits(member, x) then
          local list = ready[level_of(member) + 1]
          list[#list + 1] = member
          pushed = pushed + 1
        end
      end
    end
  end
  if #values > 0 then
    many('HSET', M, values)
  end
  for i = 1, 4 do
    if #ready[i] > 0 then many('RPUSH', KEYS[1 + i], ready[i]) end
  end
  if largest > biggest then call('HSET', S, 'b', largest) end
  if pushed > 0 and paused <= now and held <= now and call('LLEN', W) == 0 then call('RPUSH', W, '') end
  if earliest then announce(earliest) end
  return refused
end
