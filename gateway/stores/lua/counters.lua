-- Shared head of the scripts: periods and counters. Every script is loaded behind it.
--
-- A counter key is a hash `fairlead:{org}:budget:<scope>:<per>` with the fields `<period>:spent`
-- and `<period>:held`, integers of nano-USD kept as text. Numbers are doubles here, exact below
-- 2^53: callers refuse larger caps and amounts, and all adding is done by HINCRBY in 64 bits.
-- Period ids of one kind sort by time. The server's clock decides which period it is, so that
-- gateways whose clocks differ count alike. How a counter is counted comes as `month`, as
-- `month@7200,1793062800,3600` (seconds from UTC, and from when on so many) or as `rolling:86400`
-- (a window of so many seconds in slots of a sixtieth, see limits.lua).

-- How long a counter outlives its last new period, in seconds; `total` stays for good.
local OUTLIVES = {
  hour = 2 * 86400, day = 3 * 86400, week = 16 * 86400, month = 64 * 86400, quarter = 186 * 86400,
}

-- Year, month and day of a day number since 1970-01-01 (proleptic Gregorian calendar, counted
-- from the first of March so that the leap day is the last of its year).
local function civil(day_number)
  local shifted = day_number + 719468
  local era = math.floor(shifted / 146097)
  local day_of_era = shifted - era * 146097
  local year_of_era = math.floor((day_of_era - math.floor(day_of_era / 1460)
    + math.floor(day_of_era / 36524) - math.floor(day_of_era / 146096)) / 365)
  local day_of_year = day_of_era - (365 * year_of_era + math.floor(year_of_era / 4)
    - math.floor(year_of_era / 100))
  local from_march = math.floor((5 * day_of_year + 2) / 153)
  local day = day_of_year - math.floor((153 * from_march + 2) / 5) + 1
  local month = from_march < 10 and from_march + 3 or from_march - 9
  local year = year_of_era + era * 400 + (month <= 2 and 1 or 0)
  return year, month, day
end

local ROLLING_SLOTS = 60

local function rolling_of(per)
  return tonumber(string.match(per, '^rolling:(%d+)$'))
end

local function period_of(per, now)
  if per == 'total' then return 'total' end
  local rolling = rolling_of(per)
  if rolling then return string.format('%012d', math.floor(now * ROLLING_SLOTS / rolling)) end
  local calendar, offset, change, later = string.match(per, '^(%a+)@(-?%d+),(%d+),(-?%d+)$')
  if calendar then
    per = calendar
    now = now + tonumber(now < tonumber(change) and offset or later)
  end
  local day_number = math.floor(now / 86400)
  -- 1970-01-01 was a Thursday.
  if per == 'week' then day_number = day_number - (day_number + 3) % 7 end
  local year, month, day = civil(day_number)
  if per == 'month' then return string.format('%04d-%02d', year, month) end
  if per == 'quarter' then
    return string.format('%04d-Q%d', year, math.floor((month + 2) / 3))
  end
  local date = string.format('%04d-%02d-%02d', year, month, day)
  if per == 'hour' then return string.format('%sT%02d', date, math.floor(now % 86400 / 3600)) end
  return date
end

-- Server time: whole seconds for periods, and seconds with microseconds for leases.
local function server_time()
  local time = redis.call('TIME')
  return tonumber(time[1]), tonumber(time[1]) + tonumber(time[2]) / 1000000
end

-- Spent and held of a period, or of all slots of a window that ends with it, as text.
local function read_counter(key, period, per)
  if not rolling_of(per) then
    local both = redis.call('HMGET', key, period .. ':spent', period .. ':held')
    return both[1] or '0', both[2] or '0'
  end
  local sums, all = {spent = 0, held = 0}, redis.call('HGETALL', key)
  for at = 1, #all, 2 do
    local slot, kind = string.match(all[at], '^(%d+):(%a+)$')
    local age = tonumber(period) - tonumber(slot)
    if age >= 0 and age <= ROLLING_SLOTS then sums[kind] = sums[kind] + tonumber(all[at + 1]) end
  end
  return string.format('%.0f', sums.spent), string.format('%.0f', sums.held)
end

-- Drop the fields of older periods in which nothing is held any more.
local function forget_older(key, period, per)
  if rolling_of(per) then period = string.format('%012d', tonumber(period) - ROLLING_SLOTS) end
  for _, field in ipairs(redis.call('HKEYS', key)) do
    local older = string.match(field, '^(.*):held$')
    if older and older < period and tonumber(redis.call('HGET', key, field)) <= 0 then
      redis.call('HDEL', key, older .. ':held', older .. ':spent')
    end
  end
end

-- Add to a counter; both fields of a period always exist together.
local function add(key, per, period, spent, held)
  if redis.call('HEXISTS', key, period .. ':held') == 0 then
    redis.call('HSET', key, period .. ':held', '0', period .. ':spent', '0')
    forget_older(key, period, per)
    local outlives = OUTLIVES[string.match(per, '^%a+')] or (2 * (rolling_of(per) or 0))
    if outlives > 0 then redis.call('EXPIRE', key, outlives) end
  end
  if spent ~= '0' then redis.call('HINCRBY', key, period .. ':spent', spent) end
  if held ~= '0' then redis.call('HINCRBY', key, period .. ':held', held) end
end

-- The counters of a stored hold, as lines `per period key`, changed in the period of the hold.
-- A period that was forgotten stays forgotten: nobody reads it any more.
local function add_to_placed(placed, spent, held)
  for per, period, key in string.gmatch(placed, '(%S+) (%S+) ([^\n]+)\n') do
    if redis.call('HEXISTS', key, period .. ':held') == 1 then
      add(key, per, period, spent, held)
    end
  end
end

local function negative(amount)
  return amount == '0' and '0' or '-' .. amount
end
