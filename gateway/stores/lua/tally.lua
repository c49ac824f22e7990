-- Add what one gateway has counted of a targeted route, and read the whole.
--
-- KEYS  1 the tally (hash)
-- ARGV  1 requests after which all counts are halved, 2 the largest debt either way, 3 life in
--       seconds, 4 the period that `spent` belongs to, 5 half-life of the rate in seconds, 6 how
--       many requests are added, then a field and what is added to it, and so on
-- Returns the fields of the hash with their values
-- Fields: requests, fixed, debt; at:N, low:N, high:N for each step N; spent and its period; seen
--         and span (requests and seconds that the rate is reckoned from) and the moment of both
-- Expiry: the tally lives for ARGV[3] after its last addition.

local key = KEYS[1]
local limit, most_debt = tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000

if redis.call('HGET', key, 'period') ~= ARGV[4] then
  redis.call('HSET', key, 'period', ARGV[4], 'spent', '0')
end
for at = 7, #ARGV, 2 do
  redis.call('HINCRBY', key, ARGV[at], ARGV[at + 1])
end

local debt = tonumber(redis.call('HGET', key, 'debt') or '0')
if math.abs(debt) > most_debt then
  redis.call('HSET', key, 'debt', string.format('%.0f', math.max(-most_debt, math.min(most_debt, debt))))
end

local last = tonumber(redis.call('HGET', key, 'moment') or '') or now
local kept = 0.5 ^ (math.max(0, now - last) / tonumber(ARGV[5]))
local seen = tonumber(redis.call('HGET', key, 'seen') or '0') * kept + tonumber(ARGV[6])
local span = tonumber(redis.call('HGET', key, 'span') or '0') * kept + math.max(0, now - last)
redis.call('HSET', key, 'moment', string.format('%.6f', now), 'seen', string.format('%.6f', seen),
  'span', string.format('%.6f', span))

if tonumber(redis.call('HGET', key, 'requests') or '0') > limit then
  local fields = redis.call('HGETALL', key)
  for at = 1, #fields, 2 do
    local name = fields[at]
    if name == 'requests' or name == 'fixed' or string.find(name, ':', 1, true) then
      redis.call('HSET', key, name, string.format('%.0f', math.floor(tonumber(fields[at + 1]) / 2)))
    end
  end
end
redis.call('EXPIRE', key, ARGV[3])
return redis.call('HGETALL', key)
