-- Shared head of the scripts: the clock and the periods that budgets are counted in.
--
-- Period ids of one kind sort by time. The server's clock decides which period it is, so that
-- gateways whose clocks differ count alike. How a counter is counted comes as `month`, as
-- `month@7200,1793062800,3600` (seconds from UTC, and from when on so many) or as `rolling:86400`
-- (a window of so many seconds in slots of a sixtieth, see limits.lua).

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

