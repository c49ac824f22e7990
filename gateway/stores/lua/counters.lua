-- Shared head of the scripts: counters. Loaded behind periods.lua.
--
-- A counter key is a hash `fairlead:{org}:budget:<scope>:<per>` with the fields `<period>:spent`
-- and `<period>:held`, integers of nano-USD kept as text. Numbers are doubles here, exact below
-- 2^53: callers refuse larger caps and amounts, and all adding is done by HINCRBY in 64 bits.

-- How long a counter outlives its last new period, in seconds; `total` stays for good.
local OUTLIVES = {
  hour = 2 * 86400, day = 3 * 86400, week = 16 * 86400, month = 64 * 86400, quarter = 186 * 86400,
}

-- Spent and held of a period, or of all slots of a window that ends with it, as text; and
-- whether the period is known to be counted already.
local function read_counter(key, period, per)
  if not rolling_of(per) then
    local both = redis.call('HMGET', key, period .. ':spent', period .. ':held')
    return both[1] or '0', both[2] or '0', both[2] and true or false
  end
  local sums, all = {spent = 0, held = 0}, redis.call('HGETALL', key)
  for at = 1, #all, 2 do
    local slot, kind = string.match(all[at], '^(%d+):(%a+)$')
    local age = tonumber(period) - tonumber(slot)
    if age >= 0 and age <= ROLLING_SLOTS then sums[kind] = sums[kind] + tonumber(all[at + 1]) end
  end
  return string.format('%.0f', sums.spent), string.format('%.0f', sums.held), false
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

local function increase(key, period, spent, held)
  if spent ~= '0' then redis.call('HINCRBY', key, period .. ':spent', spent) end
  if held ~= '0' then redis.call('HINCRBY', key, period .. ':held', held) end
end

-- Add to a counter; both fields of a period always exist together. `known`: they do.
local function add(key, per, period, spent, held, known)
  if not known and redis.call('HEXISTS', key, period .. ':held') == 0 then
    redis.call('HSET', key, period .. ':held', '0', period .. ':spent', '0')
    forget_older(key, period, per)
    local outlives = OUTLIVES[string.match(per, '^%a+')] or (2 * (rolling_of(per) or 0))
    if outlives > 0 then redis.call('EXPIRE', key, outlives) end
  end
  increase(key, period, spent, held)
end

-- The counters of a stored hold, as lines `per period key`, changed in the period of the hold.
-- A period that was forgotten stays forgotten: nobody reads it any more.
local function add_to_placed(placed, spent, held)
  for per, period, key in string.gmatch(placed, '(%S+) (%S+) ([^\n]+)\n') do
    if redis.call('HEXISTS', key, period .. ':held') == 1 then
      increase(key, period, spent, held)
    end
  end
end

local function negative(amount)
  return amount == '0' and '0' or '-' .. amount
end
