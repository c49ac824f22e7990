-- Take evidence back, of all days or of some, as if it had never been counted.
--
-- KEYS  1 the evidence of one deployment and task (hash; see learn.lua)
-- ARGV  1 the first day that is taken back
--       2 the first day after them; empty: there is none
-- Returns how many days were
-- Expiry: none of its own.

local key, days, taken = KEYS[1], {}, 0
local first, after = tonumber(ARGV[1]), tonumber(ARGV[2]) or math.huge
for _, field in ipairs(redis.call('HKEYS', key)) do
  local day, name = string.match(field, '^(%d+):(.*)$')
  local number = tonumber(day)
  if number and name ~= 'forgotten' and number >= first and number < after then
    redis.call('HDEL', key, field)
    if not days[day] then days[day], taken = true, taken + 1 end
  end
end
if taken > 0 then
  -- Later opinions about what was counted on those days count as first ones.
  local version = redis.call('HINCRBY', key, 'version', 1)
  for day in pairs(days) do redis.call('HSET', key, day .. ':forgotten', version) end
end
return taken
