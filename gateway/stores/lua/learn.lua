-- Count what an answer was worth, once for each request that was served.
--
-- KEYS  1 the evidence of one deployment and task (hash), 2 the names of all of the org (set),
--       3 what was served (string of JSON); none for what needs no request
-- ARGV  1 the name to add to the set, 2 the day, 3 score and 4 prediction in millionths, 5 the
--       first day that is still kept, 6 whose word it is: `rated` (a person's, or what use has
--       shown) or `judged` (a judge's)
-- Returns the version of the evidence after it: how often it was changed; 0 where the request is
--       forgotten, -1 where a judge comes after a word that counts more
-- Fields: DAY:answers, DAY:score, DAY:predicted for what was rated; DAY:judged, DAY:judged_score,
--       DAY:judged_predicted for what was judged; DAY:forgotten, the version at which all of that
--       day was last taken back; version
-- Expiry: the evidence after 120 days without change; what was served keeps its own.

local key, day, judged = KEYS[1], ARGV[2], ARGV[6] == 'judged'
local score, predicted = tonumber(ARGV[3]), tonumber(ARGV[4])

local function whole(number) return string.format('%.0f', number) end

local function add(on, prefix, answers, worth, expected)
  local fields = {answers = answers, score = worth, predicted = expected}
  if prefix ~= '' then fields = {[''] = answers, _score = worth, _predicted = expected} end
  for name, number in pairs(fields) do
    redis.call('HINCRBY', key, on .. ':' .. prefix .. name, whole(number))
  end
end

-- Whether what was counted on a day, as a version of the evidence, still counts.
local function stands(on, version)
  if not on or on == 0 then return false end
  local forgotten = redis.call('HGET', key, whole(on) .. ':forgotten')
  return not forgotten or tonumber(forgotten) < version
end

local served
if #KEYS > 2 then
  local known = redis.call('GET', KEYS[3])
  if not known then return 0 end
  served = cjson.decode(known)
  local repeated = judged and served.judged_on and served.judged_on > 0
  if judged and (repeated or stands(served.scored_on, served.scored_at or 0)) then return -1 end
end

if redis.call('HEXISTS', key, day .. ':answers') + redis.call('HEXISTS', key, day .. ':judged') == 0 then
  for _, field in ipairs(redis.call('HKEYS', key)) do
    local number = tonumber(string.match(field, '^(%d+):'))
    if number and number < tonumber(ARGV[5]) then redis.call('HDEL', key, field) end
  end
end

local version = redis.call('HINCRBY', key, 'version', 1)
if judged then
  add(day, 'judged', 1, score, predicted)
  if served then served.judged, served.judged_on, served.judged_at = score, tonumber(day), version end
elseif served and stands(served.scored_on, served.scored_at or 0) then
  -- A second opinion replaces the first, on the day that the first was counted.
  add(whole(served.scored_on), '', 0, score - served.score, 0)
  served.score = score
else
  add(day, '', 1, score, predicted)
  if served then
    -- Whoever has the answer knows better than a judge.
    if stands(served.judged_on, served.judged_at or 0) then
      add(whole(served.judged_on), 'judged', -1, -served.judged, -served.predicted)
    end
    served.score, served.scored_on, served.scored_at = score, tonumber(day), version
  end
end
if served then redis.call('SET', KEYS[3], cjson.encode(served), 'KEEPTTL') end
redis.call('EXPIRE', key, 120 * 86400)
redis.call('SADD', KEYS[2], ARGV[1])
return version
