-- Gives back the number that a token holds and lowers its mark to what was used,
-- so that a successor need not start in the future.
--
-- KEYS, ARGV 1-11  see ledger.lua; the nonce is not used
-- ARGV  12 id, or -1 for whichever the token holds, which then was never used
--       13 end of the last tick used  14 epoch of the holder's last answer
--       15... nonces that the holder knows
-- Reply {"released"}  {"lost", reason}
--
-- Invariant: a mark is lowered only in the epoch in which the holder last had an
-- answer. In a later one a renewal that arrived late may have revived a holder whose
-- successor is forgotten.

local id = ARGV[12]
local unused = id == '-1'
if unused then
  id = redis.call('HGET', KEYS[1], '=' .. token)
  if not id then
    return {'released'}
  end
end
local r = load(id)
if r and r.token == '' and r.released == token then
  return {'released'}
end
if not r or r.token ~= token or not among(r.nonce, 15) then
  return {'lost', 'taken'}
end
redis.call('HDEL', KEYS[1], '=' .. token)
r.token, r.released = '', token
if unused or r.epoch == ARGV[14] then
  r.mark = math.min(r.mark, math.max(r.start, tonumber(ARGV[13])))
end
r.expires = now
store(id, r)
return {'released'}
