-- Forgets the oldest commands from before a time. ARGV: log id, epoch, milliseconds, at most so many.
-- Answers {'done', how many} or what `fence` refuses with.
local _, commands, command_times = unpack(KEYS)
local log = fence()
if log.refusal then
  return log.refusal
end
local old = redis.call('ZRANGEBYSCORE', command_times, '-inf', '(' .. ARGV[3], 'LIMIT', 0, ARGV[4])
for _, key in ipairs(old) do
  redis.call('HDEL', commands, key)
  redis.call('ZREM', command_times, key)
end
return {'done', #old}
