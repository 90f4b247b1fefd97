-- Stores messages. See insert.
-- ARGV: nonce, most messages that the queue may hold (0 = any), length of the
-- largest value if over 4096 (else 0), messages.
-- Reply: what was refused.
-- Invariant: a repeated request (same ids) stores nothing twice.
local refused = insert(4, ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]))
write_counts()
return refused
