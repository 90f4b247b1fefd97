-- Moves the mark and the expiry of a number that a token holds, or revives a
-- holder whose record the server lost.
--
-- KEYS, ARGV 1-11  see ledger.lua
-- ARGV  12 id  13 want  14 generation  15 start  16 mark  17 expiry: what the
--       holder was promised last  18 holder  19... nonces that the holder knows
-- Reply {"granted", id, generation, start, mark, expires, now, epoch}
--       {"lost", reason}  {"mismatch", fingerprint}
--
-- Invariants: one who is revived later than its last expiry could meet a holder
-- whose record was lost too. A request may be an old one, whose holder has been
-- promised more since or has released: the mark of the revived keeps clear of
-- whatever was promised and lost.

local id, want = ARGV[12], tonumber(ARGV[13])
local generation, start = tonumber(ARGV[14]), tonumber(ARGV[15])

-- Whether r is of a later grant than the one that is renewed, or says that this one
-- was released.
local function overtaken(r)
  return r.generation > generation or r.start > start
    or (r.generation == generation and r.token ~= token)
end

local epoch, theirs, raw = enter(false, id)
if not epoch then
  return {'mismatch', theirs}
end
local r = parse(raw)
if r and r.epoch == epoch.id then
  -- A token alone does not name a grant: a request that comes twice can lead to two.
  if r.token ~= token or r.generation ~= generation or r.start ~= start then
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
if r and overtaken(r) then
  return {'lost', 'taken'}
end
local revived = {
  token = token, released = '', nonce = nonce, epoch = epoch.id,
  generation = generation, start = start,
  mark = math.max(want, tonumber(ARGV[16]), forgotten(epoch), r and r.mark or 0),
  expires = now + terms.ttl, holder = ARGV[18],
}
replace(id, r, revived)
return granted(id, revived)
