-- In front of every script that writes: is this the log the writer knows, and is its turn not over?
-- KEYS[1] is the area's meta; ARGV[1] the log's id, ARGV[2] the writer's epoch.
local function fence()
  local found = redis.call('HMGET', KEYS[1], 'log_id', 'epoch', 'head', 'floor')
  local log = {
    known = found[1] == ARGV[1],
    epoch = found[2],
    head = tonumber(found[3] or 0),
    floor = tonumber(found[4] or 0),
  }
  log.leads = log.known and found[2] == ARGV[2]
  if not log.known then
    log.refusal = {'gone', found[1] or ''}
  elseif not log.leads then
    log.refusal = {'stale', found[2]}
  end
  return log
end
