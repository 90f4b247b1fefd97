-- Shared beginning of acquire.lua and release.lua: a lock, who waits for it, and
-- the fences of its grants.
--
-- KEYS[1]  the lock: token of the holder, with an expiry
-- KEYS[2]  list of waiting processes, one entry "token:ttl" each
-- KEYS[3]  fence counter
-- ARGV[3]  how to tell others, one text: "counts unheard channel name": 1 if the
--          receivers of a message are counted or 0, life of an unheard grant in
--          ms, prefix of the channels, name of the lock in messages
-- Invariant: the lock never passes to a token without a new, larger fence, and
-- a token is in the queue or has the lock, not both.
local lock, queue, counter = KEYS[1], KEYS[2], KEYS[3]
local counts, unheard, channel, name = string.match(ARGV[3], '^(%d) (%d+) (%S+) (.+)$')
counts, unheard = counts == '1', tonumber(unheard)
local TOKEN, PROCESS, DAY = 32, 12, 86400

-- A counter alone repeats itself when the server comes back with older data, so
-- a fence is never below the server's time.
local function next_fence()
  local t = redis.call('TIME')
  local fence = t[1] * 1000000 + t[2]
  local last = tonumber(redis.call('SET', counter, fence, 'EX', DAY, 'GET') or 0)
  if last >= fence then
    fence = last + 1
    redis.call('SET', counter, fence, 'EX', DAY)
  end
  return fence
end

-- tell publishes to the process of token: how many heard it, or nil if the server
-- refuses.
local function tell(token, message)
  local heard = redis.pcall('PUBLISH', channel .. string.sub(token, 1, PROCESS), message)
  if type(heard) == 'table' then return nil end
  return heard
end

-- hand_on gives the lock to the first of the queue whose process is there, and
-- returns its token, ttl and fence, or nothing if nobody waits. Where the server
-- cannot say whether the process heard it, the grant ends after `unheard`
-- milliseconds unless it is extended. The asker needs no message.
local function hand_on(asker)
  local fence
  while true do
    local entry = redis.call('LPOP', queue)
    if not entry then return end
    local token, ttl = string.sub(entry, 1, TOKEN), tonumber(string.sub(entry, TOKEN + 2))
    fence = fence or next_fence()
    local here = token == asker
    if not here then
      local life = counts and ttl or math.min(ttl, unheard)
      local heard = tell(token, string.format('g %s %.0f %d %d 0 %s',
        token, fence, life, redis.call('LLEN', queue), name))
      here = heard == nil or not counts or heard > 0
      ttl = heard == nil and math.min(ttl, unheard) or life
    end
    if here then
      redis.call('SET', lock, token, 'PX', ttl)
      return token, fence
    end
  end
end
