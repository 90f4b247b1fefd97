-- Moves the mark and the expiry of a number that a token holds, or revives a
-- holder whose record the server lost.
--
-- KEYS, ARGV 1-11  see ledger.lua
-- ARGV  12 id  13 want  14 generation  15 start  16 mark  17 expiry: what the
--       holder was promised last  18 holder  19... nonces that the holder knows
-- Reply {"granted", id, generation, start, mark, expires, now}
--       {"lost", reason}  {"mismatch", fingerprint}
--
-- Invariant: one who is revived later than its last expiry could meet a holder
-- whose record was lost too.

local id, want = ARGV[12], tonumber(ARGV[13])

local epoch, theirs, raw = enter(false, id)
if not epoch then
  return {'mismatch', theirs}
end
local r = parse(raw)
if r and r.epoch == epoch.id then
  if r.token ~= token then
    return {'lost', 'taken'}
  elseif r.nonce ~= nonce and not among(r.nonce, 19) then
    return {'lost', 'copied'}
  elseif epoch.blind and now >= r.expires then
    return {'lost', 'late'}
  end
  r.nonce, r.expires, r.mark = nonce, now + terms.ttl, math.max(r.mark, want)
  store(id, r)
  return granted(id, r)
end

if epoch.blind or now >= tonumber(ARGV[17]) - 2 * terms.skew then
  return {'lost', 'forgotten'}
end
local revived = {
  token = token, released = '', nonce = nonce, epoch = epoch.id,
  generation = math.max(tonumber(ARGV[14]), r and r.generation or 0),
  start = tonumber(ARGV[15]), mark = math.max(want, tonumber(ARGV[16]), r and r.mark or 0),
  expires = now + terms.ttl, holder = ARGV[18],
}
replace(id, r, revived)
return granted(id, revived)
