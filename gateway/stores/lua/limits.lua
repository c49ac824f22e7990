-- Shared head of the scripts: limits in sliding windows. Loaded behind counters.lua.
--
-- A limit key is a hash `fairlead:{org}:limit:<scope>:<seconds>`: `last` is the newest slot seen,
-- `r` and `t` are the requests and tokens in the window, `r<slot>` and `t<slot>` what each slot
-- holds of them, `c` how many attempts are under way. A slot is a 120th of the window; the window
-- is the slot of now and the 120 before it.

local SLOTS = 120

-- Forget what has left the window by this slot.
local function slide(key, slot)
  local last = tonumber(redis.call('HGET', key, 'last') or slot)
  if slot <= last then return last end
  if slot - last > SLOTS then
    local under_way = redis.call('HGET', key, 'c') or '0'
    redis.call('DEL', key)
    redis.call('HSET', key, 'c', under_way)
  else
    for gone = last - SLOTS, slot - SLOTS - 1 do
      local counted = redis.call('HMGET', key, 'r' .. gone, 't' .. gone)
      -- Given back whole it is 0, of which Redis takes no negative.
      if counted[1] then redis.call('HINCRBY', key, 'r', negative(counted[1])) end
      if counted[2] then redis.call('HINCRBY', key, 't', negative(counted[2])) end
      redis.call('HDEL', key, 'r' .. gone, 't' .. gone)
    end
  end
  redis.call('HSET', key, 'last', slot)
  return slot
end

-- Requests, tokens and attempts under way.
local function read_limit(key)
  local found = redis.call('HMGET', key, 'r', 't', 'c')
  return tonumber(found[1] or 0), tonumber(found[2] or 0), tonumber(found[3] or 0)
end

-- Seconds until so much of a kind ('r' or 't') has left the window.
local function wait_for(key, kind, needed, slot, width, now)
  local fields, freed = {}, 0
  for old = slot - SLOTS, slot do fields[#fields + 1] = string.format('%s%.0f', kind, old) end
  for place, counted in ipairs(redis.call('HMGET', key, unpack(fields))) do
    freed = freed + tonumber(counted or 0)
    if freed >= needed then return (slot + place) * width - now end
  end
  return (SLOTS + 1) * width
end

local function count_limit(key, slot, seconds, requests, tokens)
  if requests ~= 0 then
    redis.call('HINCRBY', key, 'r', requests)
    redis.call('HINCRBY', key, 'r' .. slot, requests)
  end
  if tokens ~= 0 then
    redis.call('HINCRBY', key, 't', tokens)
    redis.call('HINCRBY', key, 't' .. slot, tokens)
  end
  redis.call('HINCRBY', key, 'c', 1)
  redis.call('HSET', key, 'last', slot)
  redis.call('EXPIRE', key, math.max(2 * seconds, 86400))
end

-- The limits of a stored hold, as lines `slot tokens requests key`: one attempt less is under
-- way, and what it did not use is given back where it is still in the window.
local function leave_limits(stored, used_tokens, called)
  for slot, tokens, requests, key in string.gmatch(stored, '(%S+) (%S+) (%S+) ([^\n]+)\n') do
    if redis.call('HEXISTS', key, 'c') == 1 then
      redis.call('HINCRBY', key, 'c', -1)
      local back = used_tokens and tonumber(tokens) - used_tokens or 0
      if back ~= 0 and redis.call('HEXISTS', key, 't' .. slot) == 1 then
        redis.call('HINCRBY', key, 't', -back)
        redis.call('HINCRBY', key, 't' .. slot, -back)
      end
      if not called and redis.call('HEXISTS', key, 'r' .. slot) == 1 then
        redis.call('HINCRBY', key, 'r', negative(requests))
        redis.call('HINCRBY', key, 'r' .. slot, negative(requests))
      end
    end
  end
end

-- Which of the three limits has no room for this, if one has not: its kind, what is taken, and
-- how many seconds it takes until there may be room (-1: there never will be).
local function limit_reached(key, slot, width, now, most, weight, tokens)
  local requests, used, under_way = read_limit(key)
  if most[1] >= 0 and requests + weight > most[1] then
    if weight > most[1] then return 'requests', requests, -1 end
    return 'requests', requests, wait_for(key, 'r', requests + weight - most[1], slot, width, now)
  end
  if most[2] >= 0 and used + tokens > most[2] then
    if tokens > most[2] then return 'tokens', used, -1 end
    return 'tokens', used, wait_for(key, 't', used + tokens - most[2], slot, width, now)
  end
  if most[3] >= 0 and under_way + 1 > most[3] then return 'concurrent', under_way, 1 end
  return nil
end
