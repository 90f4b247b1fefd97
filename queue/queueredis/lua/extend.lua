-- Makes leases last from now.
-- ARGV: lease ms, receipts... Reply: those that are lost, index from 0.
-- Invariant: an ended lease does not come back.
local ends, receipts, lost, kept = now + tonumber(ARGV[1]), {}, {}, {}
for i = 2, #ARGV do receipts[#receipts + 1] = ARGV[i] end
local scores = gather('ZMSCORE', L, receipts)
for i = 1, #receipts do
  local ok = scores[i]
  if ok and tombs > 0 then ok = not is_tomb(call('HGET', M, id_of(receipts[i]))) end
  if ok then
    kept[#kept + 1] = ends
    kept[#kept + 1] = receipts[i]
  else
    lost[#lost + 1] = i - 1
  end
end
if #kept > 0 then many('ZADD', L, kept) end
return lost
