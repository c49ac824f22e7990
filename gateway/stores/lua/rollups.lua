-- Shared head of the scripts: rollups. Loaded behind limits.lua.
--
-- A rollup is a hash `fairlead:{org}:rollup:<hour|day>:<number since 1970>` with fields
-- `<cell>:<class>` (how much) and `<cell>:<class>$` (nano-USD), and `<cell>:lines`. A cell is the
-- number of a combination of dimensions (see gateway.stores.rollups), kept by its text in the
-- hash of cells. A line is counted in the hour and the day of its date.

local SPANS = {hour = 3600, day = 86400}
local ROLLUPS_LIVE = {hour = 40 * 86400, day = 800 * 86400}

-- `changes` is a flat list: class, how much, nano-USD, ...
local function roll_up(prefix, cells, cell, at, changes)
  local number = redis.call('HGET', cells, cell)
  if not number then
    number = tostring(redis.call('HINCRBY', cells, '#', 1))
    redis.call('HSET', cells, cell, number)
  end
  for span, length in pairs(SPANS) do
    local key = string.format('%s%s:%.0f', prefix, span, math.floor(at / length))
    for place = 1, #changes, 3 do
      local field = number .. ':' .. changes[place]
      if changes[place + 1] ~= '0' then redis.call('HINCRBY', key, field, changes[place + 1]) end
      if changes[place + 2] ~= '0' then
        redis.call('HINCRBY', key, field .. '$', changes[place + 2])
      end
    end
    if redis.call('HINCRBY', key, number .. ':lines', 1) == 1 then
      redis.call('EXPIRE', key, ROLLUPS_LIVE[span])
    end
  end
end
