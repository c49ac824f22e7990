-- Read where counters stand.
--
-- KEYS  one hash per counter
-- ARGV  for every counter: per
-- Returns {period, spent, held, ...three for every counter}
-- Expiry: none; nothing is written.

local now, reply = server_time(), {}
for number, key in ipairs(KEYS) do
  local per = ARGV[number]
  local period = period_of(per, now)
  local spent, held = read_counter(key, period, per)
  reply[#reply + 1] = period
  reply[#reply + 1] = spent
  reply[#reply + 1] = held
end
return reply
