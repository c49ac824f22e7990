-- Keep a part of one budget for a gateway to spend while it cannot reach us.
--
-- KEYS  1 leases, 2 the slice (hash, like a hold), 3 the counter
-- ARGV  1 id of the slice, 2 wanted nano-USD (0: give it back), 3 how much of what is left it may
--       be, in thousandths, 4 lease in seconds, 5 per, 6 cap
-- Returns the slice in nano-USD, which is held like money of a request
-- Expiry: the slice lives until it is given back or its lease ends; then it is released (see
--         reap.lua) and no line is written.

local leases, slice, key = KEYS[1], KEYS[2], KEYS[3]
local now, exact_now = server_time()
local period = period_of(ARGV[5], now)
local found = redis.call('HMGET', slice, 'amount', 'placed')
local own, placed = found[1] or '0', ARGV[5] .. ' ' .. period .. ' ' .. key .. '\n'
if found[2] and found[2] ~= placed then
  add_to_placed(found[2], '0', negative(own))
  own = '0'
end
local spent, held = read_counter(key, period, ARGV[5])
local left = tonumber(ARGV[6]) - tonumber(spent) - tonumber(held) + tonumber(own)
local target = math.floor(math.min(tonumber(ARGV[2]), left * tonumber(ARGV[3]) / 1000))
if target < 0 then target = 0 end
local more = target - tonumber(own)
if more ~= 0 then add(key, ARGV[5], period, '0', string.format('%.0f', more)) end
if target == 0 then
  redis.call('DEL', slice)
  redis.call('ZREM', leases, ARGV[1])
  return '0'
end
redis.call('HSET', slice, 'state', 'slice', 'amount', string.format('%.0f', target),
  'placed', placed)
redis.call('ZADD', leases, string.format('%.6f', exact_now + tonumber(ARGV[4])), ARGV[1])
return string.format('%.0f', target)
