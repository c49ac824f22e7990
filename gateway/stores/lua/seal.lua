-- Append a checkpoint of the audit chain, if nobody else did so meanwhile.
--
-- KEYS  1 checkpoints (stream)
-- ARGV  1 head that the new checkpoint follows, '' for the first one, 2 its own head,
--       3 the checkpoint
-- Returns 1 when it was appended, 0 when the last checkpoint is another one by now
-- Expiry: none.

local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
local head = ''
if last[1] then
  local fields = last[1][2]
  for at = 1, #fields, 2 do
    if fields[at] == 'head' then head = fields[at + 1] end
  end
end
if head ~= ARGV[1] then return 0 end
redis.call('XADD', KEYS[1], '*', 'head', ARGV[2], 'checkpoint', ARGV[3])
return 1
