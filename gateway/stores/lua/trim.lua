-- Drop the entries of a stream that were sealed, if we are still the ones who seal.
--
-- KEYS  1 stream, 2 the lease to seal
-- ARGV  1 our token, 2 the first id to keep
-- Returns how many entries were dropped, -1 when somebody else seals by now
-- Expiry: none.

local holder = redis.call('GET', KEYS[2])
if not holder or string.sub(holder, -#ARGV[1]) ~= ARGV[1] then return -1 end
return redis.call('XTRIM', KEYS[1], 'MINID', ARGV[2])
