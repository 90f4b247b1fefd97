-- Shared beginning of semaphore_acquire.lua and semaphore_release.lua: who has a
-- permit, who waits for one, and the fences of the grants.
--
-- KEYS[1]  sorted set of holders' tokens, scored by their end in ms
-- KEYS[2]  list of waiting processes, one entry "token:ttl" each
-- KEYS[3]  fence counter
-- ARGV[3]  how to tell others, as in queue.lua
-- Invariant: never more holders than permits, every grant has a new, larger
-- fence.
local holders, queue, counter = KEYS[1], KEYS[2], KEYS[3]
local counts, unheard, channel, name = string.match(ARGV[3], '^(%d) (%d+) (%S+) (.+)$')
counts, unheard = counts == '1', tonumber(unheard)
local TOKEN, PROCESS, DAY = 32, 12, 86400

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
redis.call('ZREMRANGEBYSCORE', holders, '-inf', now)

local function next_fence()
  local fence = clock[1] * 1000000 + clock[2]
  local last = tonumber(redis.call('GET', counter) or 0)
  if last >= fence then fence = last + 1 end
  redis.call('SET', counter, string.format('%.0f', fence), 'EX', DAY)
  return fence
end

-- hold gives a permit to token; the set lives as long as its longest grant.
local function hold(token, ttl)
  redis.call('ZADD', holders, 'GT', now + ttl, token)
  if redis.call('PTTL', holders) < tonumber(ttl) then redis.call('PEXPIRE', holders, ttl) end
end

-- serve gives permits to those who wait for as long as there are any. It returns
-- the asker's fence if it was among them.
local function serve(asker, permits)
  local own
  while redis.call('ZCARD', holders) < permits do
    local entry = redis.call('LPOP', queue)
    if not entry then return own end
    local token, ttl = string.sub(entry, 1, TOKEN), tonumber(string.sub(entry, TOKEN + 2))
    local fence = next_fence()
    if token == asker then
      own = fence
      hold(token, ttl)
    else
      local life = counts and ttl or math.min(ttl, unheard)
      local heard = redis.pcall('PUBLISH', channel .. string.sub(token, 1, PROCESS), string.format('g %s %.0f %d %d %d %s',
        token, fence, life, redis.call('LLEN', queue), permits, name))
      if type(heard) == 'table' then
        hold(token, math.min(ttl, unheard))
      elseif not counts or heard > 0 then
        hold(token, life)
      end
    end
  end
  return own
end
