-- Book the difference between an in_doubt line and what was really spent.
--
-- KEYS  1 the hold, 2 ledger stream, 3 audit stream
-- ARGV  1 difference in nano-USD (may be negative), 2 correction line, 3 audit record or '',
--       4 seconds to remember that the hold is settled
-- Returns {'corrected'} · {'duplicate'}: the hold is not in doubt (any more), nothing changed
-- Expiry: the mark that the hold is settled, after ARGV[4].

local hold = KEYS[1]
local found = redis.call('HMGET', hold, 'state', 'placed')
if found[1] ~= 'in_doubt' then return {'duplicate'} end

add_to_placed(found[2], ARGV[1], '0')
redis.call('DEL', hold)
redis.call('HSET', hold, 'state', 'settled')
redis.call('EXPIRE', hold, ARGV[4])
redis.call('XADD', KEYS[2], '*', 'line', ARGV[2])
if ARGV[3] ~= '' then redis.call('XADD', KEYS[3], '*', 'record', ARGV[3]) end
return {'corrected'}
