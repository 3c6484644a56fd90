-- Takes an area's lead where nobody holds it; makes the log where there is none.
-- ARGV: the taker's token, milliseconds of the lease, an id for a new log, format of the keys,
-- epochs whose last batch stays known.
-- Answers {'held', milliseconds left, the holder's token, epoch, head} | {'format', number} |
-- {'leads', log id, epoch, head, then
-- what tells whether the stream is whole: its length, first id, last id}.
local meta, leader, events, batches = unpack(KEYS)
local token, lease_ms, new_id, format, epochs_kept = unpack(ARGV)

local holder = redis.call('GET', leader)
if holder and holder ~= token then
  local found = redis.call('HMGET', meta, 'epoch', 'head')
  return {'held', redis.call('PTTL', leader), holder, found[1] or '0', found[2] or '0'}
end
if redis.call('HSETNX', meta, 'format', format) == 0 then
  local found = redis.call('HGET', meta, 'format')
  if found ~= format then
    return {'format', found}
  end
else
  redis.call('HSET', meta, 'log_id', new_id, 'head', '0', 'epoch', '0')
end
-- The holder itself asks again when its answer was lost: it keeps its epoch.
if not holder then
  redis.call('HINCRBY', meta, 'epoch', 1)
end
redis.call('SET', leader, token, 'PX', lease_ms)
local log_id, epoch, head = unpack(redis.call('HMGET', meta, 'log_id', 'epoch', 'head'))
redis.call('HDEL', batches, string.format('%d', tonumber(epoch) - tonumber(epochs_kept)))

local function first_id(entries)
  return entries[1] and entries[1][1] or ''
end
return {
  'leads', log_id, epoch, head, redis.call('XLEN', events),
  first_id(redis.call('XRANGE', events, '-', '+', 'COUNT', 1)),
  first_id(redis.call('XREVRANGE', events, '+', '-', 'COUNT', 1)),
}
