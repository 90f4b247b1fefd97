-- Lists who holds a number now. Writes nothing.
--
-- KEYS  see ledger.lua
-- Reply {{id, generation, start, mark, expires, holder}...}

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local reply = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. string.format('%.0f', now), '+inf')) do
  local raw = redis.call('HGET', KEYS[1], id)
  local token, generation, start, mark, expires, holder =
    string.match(raw or '', '^(%S*) %S* %S+ %S+ (%S+) (%S+) (%S+) (%S+) (.*)$')
  if token and token ~= '' then
    table.insert(reply, {tonumber(id), tonumber(generation), tonumber(start),
      tonumber(mark), tonumber(expires), holder})
  end
end
return reply
