-- Book the difference between an in_doubt line and what was really spent.
--
-- KEYS  1 the hold, 2 ledger stream, 3 audit stream, 4 cells of the rollups
-- ARGV  1 difference in nano-USD (may be negative), 2 correction line, 3 audit record or '',
--       4 seconds to remember that the hold is settled, 5 date of the line, 6 prefix of the
--       rollups, 7 cell, then for every class of the difference: its name, how much, nano-USD
-- Returns {'corrected'} · {'duplicate'}: the hold is not in doubt (any more), nothing changed
-- Expiry: the mark that the hold is settled, after ARGV[4].

local hold = KEYS[1]
local found = redis.call('HMGET', hold, 'state', 'placed')
if found[1] ~= 'in_doubt' then return {'duplicate'} end

add_to_placed(found[2], ARGV[1], '0')
local changes = {}
for place = 8, #ARGV do changes[#changes + 1] = ARGV[place] end
roll_up(ARGV[6], KEYS[4], ARGV[7], tonumber(ARGV[5]), changes)
redis.call('DEL', hold)
redis.call('HSET', hold, 'state', 'settled')
redis.call('EXPIRE', hold, ARGV[4])
redis.call('XADD', KEYS[2], '*', 'line', ARGV[2])
if ARGV[3] ~= '' then redis.call('XADD', KEYS[3], '*', 'record', ARGV[3]) end
return {'corrected'}
