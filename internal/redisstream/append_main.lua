-- KEYS as stream_append wants them; ARGV: its three arguments, then the entries.
-- Returns what stream_append returns.
local entries = {}
for i = 4, #ARGV do
  entries[i - 3] = ARGV[i]
end
return stream_append(KEYS, 0, ARGV, 0, entries)
