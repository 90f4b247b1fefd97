-- Test only. Reply: what is wrong with the queue, one line each. KEYS as in common.lua.
local M, S = KEYS[1], KEYS[19]
local wrong, place, count = {}, {}, 0
local function note(text) if #wrong < 20 then wrong[#wrong + 1] = text end end
local function hex(id) return (string.gsub(id, '.', function(c) return string.format('%02x', string.byte(c)) end)) end
local function seen(member, where)
  local id = string.sub(member, 1, 16)
  if place[id] then note(hex(id) .. ' is in ' .. place[id] .. ' and in ' .. where) end
  place[id] = where
  count = count + 1
end
for i, name in ipairs({ 'r0', 'r1', 'r2', 'r3', 'z' }) do
  for _, member in ipairs(redis.call('LRANGE', KEYS[1 + i], 0, -1)) do
    if #member ~= 19 then note('member of ' .. #member .. ' bytes in ' .. name) end
    seen(member, name)
  end
end
for i, name in ipairs({ 'l', 'd', 'x', 'f' }) do
  for _, member in ipairs(redis.call('ZRANGE', KEYS[6 + i], 0, -1)) do
    if #member ~= (name == 'l' and 27 or 19) then note('member of ' .. #member .. ' bytes in ' .. name) end
    seen(member, name)
  end
end
for _, w in ipairs(redis.call('ZRANGE', KEYS[16], 0, -1)) do seen(string.sub(w, string.byte(w, 1) + 8), 'g') end
local values, tombs = redis.call('HGETALL', M), 0
for i = 1, #values, 2 do
  if not place[values[i]] then note(hex(values[i]) .. ' is nowhere') end
  if string.byte(values[i + 1], 1) == 255 then tombs = tombs + 1 end
end
if count ~= #values / 2 then note(count .. ' places for ' .. (#values / 2) .. ' values') end
if tombs ~= tonumber(redis.call('HGET', S, 'T') or 0) then note(tombs .. ' tombstones, another number counted') end
for key, what in pairs({ [KEYS[11]] = 'an error', [KEYS[12]] = 'a record' }) do
  for _, id in ipairs(redis.call('HKEYS', key)) do
    if redis.call('HEXISTS', M, id) == 0 then note(hex(id) .. ' is gone and has left ' .. what) end
  end
end
local holders = redis.call('HGETALL', KEYS[17])
for i = 1, #holders, 2 do
  local where = place[holders[i + 1]]
  if not where or where == 'g' or where == 'x' or where == 'f' then
    note('key ' .. holders[i] .. ' is held by a message ' .. (where and 'in ' .. where or 'that is gone'))
  end
end
if redis.call('LLEN', KEYS[18]) > 1 then note('more than one token') end
return wrong
