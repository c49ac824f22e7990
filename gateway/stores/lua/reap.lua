-- Book holds whose lease ran out: nobody settled them, so they count at the held amount.
--
-- KEYS  1 leases, 2 ledger stream, 3 audit stream
-- ARGV  1 how many at most, 2 prefix of the hold keys (same hash tag), 3 seconds to remember
--       what a hold was, so that a late settlement can correct it
-- Returns how many were booked
-- Expiry: the reaped hold, after ARGV[3].

local _, exact_now = server_time()
local expired = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%.6f', exact_now),
  'LIMIT', 0, ARGV[1])
local booked = 0
for _, hold_id in ipairs(expired) do
  local hold = ARGV[2] .. hold_id
  local found = redis.call('HMGET', hold, 'state', 'amount', 'placed', 'line', 'audit')
  local amount = found[2]
  redis.call('ZREM', KEYS[1], hold_id)
  if found[1] == 'open' then
    add_to_placed(found[3], amount, negative(amount))
    redis.call('HSET', hold, 'state', 'in_doubt')
    redis.call('HDEL', hold, 'audit')
    redis.call('EXPIRE', hold, ARGV[3])
    redis.call('XADD', KEYS[2], '*', 'line', found[4])
    if found[5] ~= '' then redis.call('XADD', KEYS[3], '*', 'record', found[5]) end
    booked = booked + 1
  end
end
return booked
