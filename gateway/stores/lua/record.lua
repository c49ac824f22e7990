-- Write a decision that waited on a gateway's disk, if it was not written before.
--
-- KEYS  1 the mark, 2 audit stream
-- ARGV  1 audit record, 2 seconds to remember that it was written
-- Returns 1 when it was written, 0 when it had been
-- Expiry: the mark, after ARGV[2].

if not redis.call('SET', KEYS[1], '1', 'NX', 'EX', ARGV[2]) then return 0 end
redis.call('XADD', KEYS[2], '*', 'record', ARGV[1])
return 1
