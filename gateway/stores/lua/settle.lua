-- Book what an attempt cost and release its hold.
--
-- KEYS  1 leases, 2 the hold, 3 ledger stream, 4 audit stream, 5 cells of the rollups, 6..
--       counters of the hold (used only when the hold is unknown; else the counters that the
--       hold itself names, which share its hash tag)
-- ARGV  1 hold id, 2 cost, 3 ledger line, 4 audit record or '', 5 seconds to remember that the
--       hold is settled, 6 tokens that were used, 7 date of the line (epoch seconds), 8 prefix of
--       the rollups (same hash tag), 9 cell, 10 number of counters, then for every counter: per;
--       then for every class of the cost: its name, how much, nano-USD
-- Returns {'settled'} · {'duplicate'}: it was settled before, nothing changed ·
--         {'late', line}: its lease ran out and this in_doubt line was booked, nothing changed
--         (see correct.lua) · {'unknown'}: no such hold; the cost was booked all the same
-- Expiry: the mark that the hold is settled, after ARGV[5].

local leases, hold = KEYS[1], KEYS[2]
local hold_id, cost, remembered, counters = ARGV[1], ARGV[2], ARGV[5], tonumber(ARGV[10])
local found = redis.call('HMGET', hold, 'state', 'amount', 'placed', 'line', 'limits')
local state, amount, placed, in_doubt, limits = found[1], found[2], found[3], found[4], found[5]

if state == 'settled' then return {'duplicate'} end
if state == 'in_doubt' then return {'late', in_doubt} end

if state then
  add_to_placed(placed, cost, negative(amount))
  leave_limits(limits or '', tonumber(ARGV[6]), true)
  redis.call('ZREM', leases, hold_id)
  redis.call('DEL', hold)
else
  local now, seen = math.floor(tonumber(ARGV[7])), {}
  for number = 1, counters do
    local key, per = KEYS[number + 5], ARGV[number + 10]
    if not seen[key] then add(key, per, period_of(per, now), cost, '0') end
    seen[key] = true
  end
end
local changes = {}
for place = 11 + counters, #ARGV do changes[#changes + 1] = ARGV[place] end
roll_up(ARGV[8], KEYS[5], ARGV[9], tonumber(ARGV[7]), changes)
redis.call('HSET', hold, 'state', 'settled')
redis.call('EXPIRE', hold, remembered)
redis.call('XADD', KEYS[3], '*', 'line', ARGV[3])
if ARGV[4] ~= '' then redis.call('XADD', KEYS[4], '*', 'record', ARGV[4]) end
return {state and 'settled' or 'unknown'}
