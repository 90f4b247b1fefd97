-- Reads the state of a lock at one moment.
--
-- KEYS[1]  the lock
-- KEYS[2]  list of waiting processes
-- KEYS[3]  fence counter
-- Reply    {token or "", pttl, waiters, last fence or "0"}
-- Invariant: changes nothing.
return {
  redis.call('GET', KEYS[1]) or '', redis.call('PTTL', KEYS[1]),
  redis.call('LLEN', KEYS[2]), redis.call('GET', KEYS[3]) or '0',
}
