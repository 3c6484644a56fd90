-- Keeps a snapshot and drops all but the newest. ARGV: log id, epoch, seq, body, how many are kept.
-- Answers {'done'} or what `fence` refuses with.
local snapshots = KEYS[2]
local log = fence()
if log.refusal then
  return log.refusal
end
redis.call('HSET', snapshots, ARGV[3], ARGV[4])
local seqs = redis.call('HKEYS', snapshots)
table.sort(seqs, function(one, other) return tonumber(one) > tonumber(other) end)
for n = tonumber(ARGV[5]) + 1, #seqs do
  redis.call('HDEL', snapshots, seqs[n])
end
return {'done'}
