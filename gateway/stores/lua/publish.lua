-- Bring a new version of the policy into force, if nobody else changed it meanwhile.
--
-- KEYS  1 head (hash), 2 versions (hash: number to JSON), 3 texts (hash: number to YAML)
-- ARGV  1 number of the version that the change was made from, 2 the new number, 3 its revision,
--       4 its digest, 5 the version as JSON, 6 its text, 7 the digest that the policy file has
--       now, or '' to leave what is known of it, 8 how many versions to keep
-- Returns 1 when it is in force, 0 when another version is the newest by now
-- Expiry: none; versions older than the newest ARGV[8] are dropped.

local number = redis.call('HGET', KEYS[1], 'number') or '0'
if number ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[2], ARGV[2], ARGV[5])
redis.call('HSET', KEYS[3], ARGV[2], ARGV[6])
redis.call('HSET', KEYS[1], 'number', ARGV[2], 'revision', ARGV[3], 'digest', ARGV[4])
redis.call('HDEL', KEYS[1], 'refused')
if ARGV[7] ~= '' then redis.call('HSET', KEYS[1], 'file_digest', ARGV[7]) end
local dropped = tostring(tonumber(ARGV[2]) - tonumber(ARGV[8]))
redis.call('HDEL', KEYS[2], dropped)
redis.call('HDEL', KEYS[3], dropped)
return 1
