-- Lengthen the lease of an open hold.
--
-- KEYS  1 leases
-- ARGV  1 hold id, 2 lease in seconds from now
-- Returns 1 when the hold is open, 0 when it is not (settled, reaped or never placed)
-- Expiry: none.

local _, exact_now = server_time()
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then return 0 end
redis.call('ZADD', KEYS[1], string.format('%.6f', exact_now + tonumber(ARGV[2])), ARGV[1])
return 1
