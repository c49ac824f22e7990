-- Replace or remove a value, if it is still the expected one.
--
-- KEYS  1 the place
-- ARGV  1 the expected value, 2 the new one (empty: remove), 3 its life in milliseconds
-- Returns 1 when it was done, 0 when something else is there (or nothing)
-- Expiry: the new value's life.

if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == '' then
  redis.call('DEL', KEYS[1])
else
  redis.call('SET', KEYS[1], ARGV[2], 'PX', tonumber(ARGV[3]))
end
return 1
