-- Book what an attempt cost and release its hold.
--
-- KEYS  1 leases, 2 the hold, 3 ledger stream, 4 audit stream, 5.. counters of the hold (used
--       only when the hold is unknown; else the counters that the hold itself names, which
--       share its hash tag)
-- ARGV  1 hold id, 2 cost, 3 ledger line, 4 audit record or '', 5 seconds to remember that the
--       hold is settled, then for every counter: per
-- Returns {'settled'} · {'duplicate'}: it was settled before, nothing changed ·
--         {'late', line}: its lease ran out and this in_doubt line was booked, nothing changed
--         (see correct.lua) · {'unknown'}: no such hold; the cost was booked all the same
-- Expiry: the mark that the hold is settled, after ARGV[5].

local leases, hold = KEYS[1], KEYS[2]
local hold_id, cost, remembered = ARGV[1], ARGV[2], ARGV[5]
local found = redis.call('HMGET', hold, 'state', 'amount', 'placed', 'line')
local state, amount, placed, in_doubt = found[1], found[2], found[3], found[4]

if state == 'settled' then return {'duplicate'} end
if state == 'in_doubt' then return {'late', in_doubt} end

if state then
  add_to_placed(placed, cost, negative(amount))
  redis.call('ZREM', leases, hold_id)
  redis.call('DEL', hold)
else
  local now, seen = server_time(), {}
  for number = 1, #KEYS - 4 do
    local key, per = KEYS[number + 4], ARGV[number + 5]
    if not seen[key] then add(key, per, period_of(per, now), cost, '0') end
    seen[key] = true
  end
end
redis.call('HSET', hold, 'state', 'settled')
redis.call('EXPIRE', hold, remembered)
redis.call('XADD', KEYS[3], '*', 'line', ARGV[3])
if ARGV[4] ~= '' then redis.call('XADD', KEYS[4], '*', 'record', ARGV[4]) end
return {state and 'settled' or 'unknown'}
