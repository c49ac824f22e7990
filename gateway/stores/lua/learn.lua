-- Count what an answer was worth, once for each request that was served.
--
-- KEYS  1 the evidence of one deployment and task (hash), 2 the names of all of the org (set),
--       3 what was served (string of JSON); none for a signal that needs no request
-- ARGV  1 the name to add to the set, 2 the day, 3 score and 4 prediction in millionths, 5 the
--       first day that is still kept, 6 what was served, again, with the new score in it
-- Returns the version of the evidence after it: how often it was changed
-- Fields: DAY:answers, DAY:score, DAY:predicted; version
-- Expiry: the evidence after 120 days without change; what was served keeps its own.

local key, day = KEYS[1], ARGV[2]
local answers, score, predicted = 1, tonumber(ARGV[3]), tonumber(ARGV[4])

if #KEYS > 2 then
  local known = redis.call('GET', KEYS[3])
  if not known then return 0 end
  local before = cjson.decode(known)
  -- A second opinion replaces the first, on the day that the first was counted.
  if before.scored_on and before.scored_on > 0 then
    answers, predicted, day = 0, 0, string.format('%.0f', before.scored_on)
    score = score - before.score
  end
  local told = cjson.decode(ARGV[6])
  told.scored_on = tonumber(day)
  redis.call('SET', KEYS[3], cjson.encode(told), 'KEEPTTL')
end

if redis.call('HEXISTS', key, day .. ':answers') == 0 then
  for _, field in ipairs(redis.call('HKEYS', key)) do
    local number = tonumber(string.match(field, '^(%d+):'))
    if number and number < tonumber(ARGV[5]) then redis.call('HDEL', key, field) end
  end
end
redis.call('HINCRBY', key, day .. ':answers', answers)
redis.call('HINCRBY', key, day .. ':score', string.format('%.0f', score))
redis.call('HINCRBY', key, day .. ':predicted', string.format('%.0f', predicted))
redis.call('EXPIRE', key, 120 * 86400)
redis.call('SADD', KEYS[2], ARGV[1])
return redis.call('HINCRBY', key, 'version', 1)
