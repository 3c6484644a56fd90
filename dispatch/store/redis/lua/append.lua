-- Makes a batch of appends durable, each as a whole and each at most once.
--
-- A batch has a number of its writer's. What became of the last one is kept, so that a writer whose
-- answer was lost asks again with the same number and is told what came of it, whether or not its
-- turn has ended since. A late copy of an older batch finds a larger number and does nothing.
--
-- ARGV: log id, epoch, batch number, then each append: the lengths of its fields with
-- commas between them, a semicolon, and the fields themselves, as `read_append` takes them.
-- Answers {'gone', id} | {'past', number} | {'done', outcomes, answers...}; an outcome is ok:SEQ of
-- its last event, moved:SEQ, stale:EPOCH or known:0. For each known command the answers hold its own.
local _, events, commands, command_times, batches, versions = unpack(KEYS, 1, 6)
local closed, closed_columns, closed_times, closed_assignments = unpack(KEYS, 7, 10)
local epoch, batch = ARGV[2], ARGV[3]

local function read_append(packed)
  local place = string.find(packed, ';', 1, true)
  local next_length = string.gmatch(string.sub(packed, 1, place), '%d+')

  local function take()
    local from = place + 1
    place = place + tonumber(next_length())
    return string.sub(packed, from, place)
  end
  local function take_list()
    local list = {}
    for n = 1, tonumber(take()) do
      list[n] = take()
    end
    return list
  end

  -- The epoch of the writer that decided it, and the last event on the board it was decided on.
  local append = {epoch = take(), seen = tonumber(take())}
  -- Whether no event may have come since, or none that touched what is named.
  append.by_head = take() == 'head'
  append.touched = take_list()
  append.events = take_list()
  append.command = take_list() -- key, at_ms, all of it; empty where it answers none
  append.reopened = take_list()
  append.closed = {}
  for n = 1, tonumber(take()) do
    append.closed[n] = {
      id = take(), received_at_ms = take(), columns = take(), body = take(), assignments = take_list()
    }
  end
  return append
end

local log = fence()
if not log.known then
  return log.refusal
end

local recorded = nil
local last, outcomes_of_last = string.match(redis.call('HGET', batches, epoch) or '', '^(%d+) (.*)$')
if last and tonumber(last) > tonumber(batch) then
  return {'past', last}
elseif last == batch then
  recorded = string.gmatch(outcomes_of_last, '%S+')
end

-- Why an append is not carried out; nil when it fits.
local function refusal(append)
  local key = append.command[1]
  if key and redis.call('HEXISTS', commands, key) == 1 then
    return 'known:0'
  elseif not log.leads or append.epoch ~= epoch then
    return 'stale:' .. log.epoch
  elseif append.by_head and append.seen ~= log.head then
    return string.format('moved:%d', log.head)
  elseif append.seen > log.head or append.seen < log.floor then
    -- Ahead of the log, or before a change that did not say what it touched.
    return string.format('moved:%d', log.head)
  end
  for _, name in ipairs(append.touched) do
    local changed = redis.call('HGET', versions, name)
    if changed and tonumber(changed) > append.seen then
      return 'moved:' .. changed
    end
  end
  return nil
end

local function write_history(append)
  for _, id in ipairs(append.reopened) do
    redis.call('HDEL', closed, id)
    redis.call('HDEL', closed_columns, id)
    redis.call('ZREM', closed_times, id)
  end
  for _, row in ipairs(append.closed) do
    redis.call('HSET', closed, row.id, row.body)
    redis.call('HSET', closed_columns, row.id, row.columns)
    redis.call('ZADD', closed_times, row.received_at_ms, row.id)
    for _, assignment_id in ipairs(row.assignments) do
      redis.call('HSET', closed_assignments, assignment_id, row.id)
    end
  end
end

local function write(append)
  for _, body in ipairs(append.events) do
    log.head = log.head + 1
    redis.call('XADD', events, string.format('%d-0', log.head), 'e', body)
  end
  for _, name in ipairs(append.touched) do
    redis.call('HSET', versions, name, string.format('%d', log.head))
  end
  if append.by_head and #append.events > 0 then
    log.floor = log.head
  end
  local key, at_ms, command = unpack(append.command)
  if key then
    redis.call('HSET', commands, key, command)
    redis.call('ZADD', command_times, at_ms, key)
  end
  write_history(append)
  return string.format('ok:%d', log.head)
end

local outcomes, reply, wrote = {}, {'done', ''}, false
for n = 1, #ARGV - 3 do
  local append = read_append(ARGV[n + 3])
  local outcome
  if recorded then
    outcome = recorded()
  else
    outcome = refusal(append)
    if not outcome then
      outcome = write(append)
      wrote = true
    end
  end
  outcomes[n] = outcome
  if outcome == 'known:0' then
    reply[#reply + 1] = redis.call('HGET', commands, append.command[1]) or ''
  end
end

local told = table.concat(outcomes, ' ')
if wrote then
  redis.call('HSET', KEYS[1], 'head', string.format('%d', log.head), 'floor',
    string.format('%d', log.floor))
end
if log.leads and not recorded then
  redis.call('HSET', batches, epoch, batch .. ' ' .. told)
end
reply[2] = told
return reply
