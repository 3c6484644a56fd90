-- Renews the lease of the writer whose epoch is the present one, even when the lease ran out
-- meanwhile: as long as nobody else took the lead nothing has happened.
-- ARGV: log id, epoch, token, milliseconds. Answers {'leads'} or what `fence` refuses with.
local log = fence()
if log.refusal then
  return log.refusal
end
redis.call('SET', KEYS[2], ARGV[3], 'PX', ARGV[4])
return {'leads'}
