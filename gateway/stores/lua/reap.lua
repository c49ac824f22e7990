-- Book holds whose lease ran out: nobody settled them, so they count at the held amount.
--
-- KEYS  1 leases, 2 ledger stream, 3 audit stream, 4 cells of the rollups
-- ARGV  1 how many at most, 2 prefix of the hold keys (same hash tag), 3 seconds to remember
--       what a hold was, so that a late settlement can correct it, 4 prefix of the rollups
-- Returns how many were booked
-- Expiry: the reaped hold, after ARGV[3]. A slice (see slice.lua) is only released.
--
-- The line was written before its date was known: it says `"at":-1.0`, which becomes the moment
-- at which the hold was placed.

local _, exact_now = server_time()
local expired = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%.6f', exact_now),
  'LIMIT', 0, ARGV[1])
local booked = 0
for _, hold_id in ipairs(expired) do
  local hold = ARGV[2] .. hold_id
  local found = redis.call('HMGET', hold, 'state', 'amount', 'placed', 'line', 'audit', 'limits',
    'at', 'cell')
  local amount, at = found[2], found[7] or tostring(exact_now)
  redis.call('ZREM', KEYS[1], hold_id)
  if found[1] == 'slice' then
    add_to_placed(found[3], '0', negative(amount))
    redis.call('DEL', hold)
  elseif found[1] == 'open' then
    local line = string.gsub(found[4], '"at":%-1%.0', '"at":' .. at, 1)
    add_to_placed(found[3], amount, negative(amount))
    leave_limits(found[6] or '', nil, true)
    roll_up(ARGV[4], KEYS[4], found[8] or '[]', tonumber(at), {'in_doubt', '0', amount})
    redis.call('HSET', hold, 'state', 'in_doubt', 'line', line)
    redis.call('HDEL', hold, 'audit', 'limits')
    redis.call('EXPIRE', hold, ARGV[3])
    redis.call('XADD', KEYS[2], '*', 'line', line)
    if found[5] ~= '' then redis.call('XADD', KEYS[3], '*', 'record', found[5]) end
    booked = booked + 1
  end
end
return booked
