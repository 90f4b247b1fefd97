-- Gives back the number that a token holds and lowers its mark to what was used,
-- so that a successor need not start in the future.
--
-- KEYS, ARGV 1-11  see ledger.lua; the nonce is not used
-- ARGV  12 id, or -1 for whichever the token holds  13 end of the last tick used
--       14... nonces that the holder knows
-- Reply {"released"}  {"lost", reason}
--
-- Invariant: only the holder's last write has a nonce that it knows, so no epoch
-- is needed to lower a mark.

local id = ARGV[12]
if id == '-1' then
  id = redis.call('HGET', KEYS[1], '=' .. token)
  if not id then
    return {'released'}
  end
end
local r = load(id)
if r and r.token == '' and r.released == token then
  return {'released'}
end
if not r or r.token ~= token or not among(r.nonce, 14) then
  return {'lost', 'taken'}
end
redis.call('HDEL', KEYS[1], '=' .. token)
r.token, r.released = '', token
r.mark = math.min(r.mark, math.max(r.start, tonumber(ARGV[13])))
r.expires = now
store(id, r)
return {'released'}
