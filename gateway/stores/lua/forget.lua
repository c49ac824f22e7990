-- Take evidence back, of all days or from one on, as if it had never been counted.
--
-- KEYS  1 the evidence of one deployment and task (hash; see learn.lua)
-- ARGV  1 the first day that is taken back
-- Returns how many days were
-- Expiry: none of its own.

local key, days, taken = KEYS[1], {}, 0
for _, field in ipairs(redis.call('HKEYS', key)) do
  local day, name = string.match(field, '^(%d+):(.*)$')
  if day and name ~= 'forgotten' and tonumber(day) >= tonumber(ARGV[1]) then
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
