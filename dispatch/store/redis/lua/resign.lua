-- Gives up the lease, so that the next need not wait for its end. ARGV: log id, epoch, token.
if redis.call('GET', KEYS[2]) == ARGV[3] then
  redis.call('DEL', KEYS[2])
end
return {'done'}
