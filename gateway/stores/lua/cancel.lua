-- Give back a hold under which no call was made; no line is written.
--
-- KEYS  1 leases, 2 the hold
-- ARGV  1 hold id
-- Returns 1 when the hold was open, 0 when there was nothing to give back
-- Expiry: none; the hold is deleted.

local found = redis.call('HMGET', KEYS[2], 'state', 'amount', 'placed', 'limits')
if found[1] ~= 'open' then return 0 end
add_to_placed(found[3], '0', negative(found[2]))
leave_limits(found[4] or '', 0, false)
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('DEL', KEYS[2])
return 1
