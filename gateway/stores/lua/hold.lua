-- Reserve money, and room under limits, for one attempt: in every counter, or in none.
--
-- KEYS  1 leases (sorted set: hold id by the time its lease ends), 2 the hold (hash),
--       3.. one hash per counter, then one per limit
-- ARGV  1 amount, 2 lease in seconds, 3 hold id, 4 in_doubt ledger line, 5 in_doubt audit
--       record or '', 6 cell of the rollups, 7 tokens, 8 number of counters, then for every
--       counter: per, cap, '1' when the cap is enforced; then for every limit: seconds, most
--       requests, tokens and at once (-1: any number), and how many requests this one counts as
-- Returns {'granted', now, period, spent, held, ...three for every counter, then requests,
--          tokens and attempts under way for every limit, this hold included}
--      or {'refused', now, number of the counter from 1, spent, held}
--      or {'limited', now, number of the limit from 1, requests|tokens|concurrent, taken, wait}
-- Expiry: the hold lives until it is settled or reaped; a counter outlives its period (see
--         counters.lua). Asking again with a hold id that is known changes nothing.

local leases, hold = KEYS[1], KEYS[2]
local amount, tokens, counters = ARGV[1], tonumber(ARGV[7]), tonumber(ARGV[8])
local now, exact_now = server_time()
local moment = string.format('%.6f', exact_now)
local known = redis.call('EXISTS', hold) == 1
local reply, placed, limits = {'granted', moment}, {}, {}

for number = 1, counters do
  local key, at = KEYS[number + 2], 9 + (number - 1) * 3
  local per, cap, enforced = ARGV[at], tonumber(ARGV[at + 1]), ARGV[at + 2] == '1'
  local period = period_of(per, now)
  local spent, held, counted = read_counter(key, period, per)
  if enforced and not known and tonumber(spent) + tonumber(held) + tonumber(amount) > cap then
    return {'refused', moment, tostring(number), spent, held}
  end
  placed[number] = {key, per, period, spent, held, counted}
end

for number = 1, #KEYS - 2 - counters do
  local key, at = KEYS[number + 2 + counters], 9 + counters * 3 + (number - 1) * 5
  local seconds, weight = tonumber(ARGV[at]), tonumber(ARGV[at + 4])
  local width = seconds / SLOTS
  local slot = slide(key, math.floor(exact_now / width))
  local full, taken, wait = limit_reached(key, slot, width, exact_now,
    {tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])}, weight, tokens)
  if full and not known then
    return {'limited', moment, tostring(number), full, tostring(taken), string.format('%.3f', wait)}
  end
  limits[number] = {key, slot, seconds, weight}
end

if not known then
  local lines, windows, seen = {}, {}, {}
  for _, counter in ipairs(placed) do
    local key, per, period = counter[1], counter[2], counter[3]
    if not seen[key] then
      seen[key] = true
      add(key, per, period, '0', amount, counter[6])
      lines[#lines + 1] = per .. ' ' .. period .. ' ' .. key .. '\n'
    end
  end
  for _, limit in ipairs(limits) do
    local key, slot, seconds, weight = limit[1], limit[2], limit[3], limit[4]
    if not seen[key] then
      seen[key] = true
      count_limit(key, slot, seconds, weight, tokens)
      windows[#windows + 1] = string.format('%.0f %.0f %d %s\n', slot, tokens, weight, key)
    end
  end
  redis.call('HSET', hold, 'state', 'open', 'amount', amount, 'placed', table.concat(lines),
    'limits', table.concat(windows), 'at', moment, 'line', ARGV[4], 'audit', ARGV[5],
    'cell', ARGV[6])
  redis.call('ZADD', leases, string.format('%.6f', exact_now + tonumber(ARGV[2])), ARGV[3])
end

for _, counter in ipairs(placed) do
  local held = tonumber(counter[5]) + (known and 0 or tonumber(amount))
  reply[#reply + 1] = counter[3]
  reply[#reply + 1] = counter[4]
  reply[#reply + 1] = string.format('%.0f', held)
end
for _, limit in ipairs(limits) do
  local requests, used, under_way = read_limit(limit[1])
  reply[#reply + 1] = tostring(requests)
  reply[#reply + 1] = string.format('%.0f', used)
  reply[#reply + 1] = tostring(under_way)
end
return reply
