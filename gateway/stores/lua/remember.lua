-- Raise the level that a conversation is remembered at, and tell it.
--
-- KEYS  1 the level (string)
-- ARGV  1 the level of what is sent now, 2 life in seconds
-- Returns the level that is remembered now
-- Expiry: the level lives for ARGV[2] after the last turn.

local known = tonumber(redis.call('GET', KEYS[1]) or '-1')
local level = math.max(known, tonumber(ARGV[1]))
redis.call('SET', KEYS[1], string.format('%d', level), 'EX', ARGV[2])
return level
