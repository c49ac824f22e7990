-- Reserve money for one attempt: in every counter, or in none.
--
-- KEYS  1 leases (sorted set: hold id by the time its lease ends), 2 the hold (hash),
--       3.. one hash per counter
-- ARGV  1 amount, 2 lease in seconds, 3 hold id, 4 in_doubt ledger line, 5 in_doubt audit
--       record or '', then for every counter: per, cap, '1' when the cap is enforced
-- Returns {'granted', now, period, spent, held, ...three for every counter, this hold included}
--      or {'refused', now, number of the counter from 1, spent, held}
-- Expiry: the hold lives until it is settled or reaped; a counter outlives its period (see
--         counters.lua). Asking again with a hold id that is known changes nothing.

local leases, hold = KEYS[1], KEYS[2]
local amount = ARGV[1]
local now, exact_now = server_time()
local reply, placed, seen = {'granted', string.format('%.6f', exact_now)}, {}, {}
local known = redis.call('EXISTS', hold) == 1

for number = 1, #KEYS - 2 do
  local key = KEYS[number + 2]
  local at = 6 + (number - 1) * 3
  local per, cap, enforced = ARGV[at], tonumber(ARGV[at + 1]), ARGV[at + 2] == '1'
  local period = period_of(per, now)
  local spent, held = read_counter(key, period)
  if enforced and not known and tonumber(spent) + tonumber(held) + tonumber(amount) > cap then
    return {'refused', tostring(now), tostring(number), spent, held}
  end
  placed[number] = {key, per, period}
end

if not known then
  local lines = {}
  for _, counter in ipairs(placed) do
    local key, per, period = counter[1], counter[2], counter[3]
    if not seen[key] then
      seen[key] = true
      add(key, per, period, '0', amount)
      lines[#lines + 1] = per .. ' ' .. period .. ' ' .. key .. '\n'
    end
  end
  redis.call('HSET', hold, 'state', 'open', 'amount', amount, 'placed', table.concat(lines),
    'line', ARGV[4], 'audit', ARGV[5])
  redis.call('ZADD', leases, string.format('%.6f', exact_now + tonumber(ARGV[2])), ARGV[3])
end

for _, counter in ipairs(placed) do
  local spent, held = read_counter(counter[1], counter[3])
  reply[#reply + 1] = counter[3]
  reply[#reply + 1] = spent
  reply[#reply + 1] = held
end
return reply
