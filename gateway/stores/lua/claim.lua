-- Put a value where there is none, or tell what is there.
--
-- KEYS  1 the place
-- ARGV  1 the value, 2 its life in milliseconds
-- Returns nil when the value was put, else the value that was there already
-- Expiry: the value's life.

local found = redis.call('GET', KEYS[1])
if found then return found end
redis.call('SET', KEYS[1], ARGV[1], 'PX', tonumber(ARGV[2]))
return false
