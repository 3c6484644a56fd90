-- A stride through the history, newest received first, ids downwards at the same millisecond.
-- ARGV: what is wanted, as MessagePack, and the most rows that one stride looks at: a script stops
-- everybody else, so that a filter that fits little comes back for more.
-- Answers {where to go on: ms, id, both '' at the end, then the bodies found}.
local times, columns, closed = unpack(KEYS)
local wanted, stride = cmsgpack.unpack(ARGV[1]), tonumber(ARGV[2])
local statuses = {}
for _, status in ipairs(wanted.statuses) do
  statuses[status] = true
end

-- By bytes, as sorted sets have it; `<` of Lua goes by the server's locale.
local function comes_before(one, other)
  for n = 1, math.min(#one, #other) do
    local a, b = string.byte(one, n), string.byte(other, n)
    if a ~= b then
      return a < b
    end
  end
  return #one < #other
end

local function columns_of(part)
  local ids = {}
  for n = 1, #part, 2 do
    ids[#ids + 1] = part[n]
  end
  return #ids > 0 and redis.call('HMGET', columns, unpack(ids)) or {}
end

local function fits(packed)
  local status, category, platform_id = unpack(cmsgpack.unpack(packed), 1, 3)
  return (#wanted.statuses == 0 or statuses[status])
    and (not wanted.category or wanted.category == category)
    and (not wanted.platform_id or wanted.platform_id == platform_id)
end

-- Rank of the first row that can be wanted: all received later are ahead of it.
local rank = 0
if wanted.until_ms then
  rank = redis.call('ZCOUNT', times, wanted.until_ms, '+inf')
end
if wanted.before_ms then
  rank = math.max(rank, redis.call('ZCOUNT', times, '(' .. wanted.before_ms, '+inf'))
end

local found, looked_at, last_ms, last_id = {'', ''}, 0, '', ''
while looked_at < stride do
  local part = redis.call('ZREVRANGE', times, rank, rank + 99, 'WITHSCORES')
  local packed = columns_of(part)
  for n = 1, #part, 2 do
    local id, ms = part[n], part[n + 1]
    if wanted.since_ms and tonumber(ms) < tonumber(wanted.since_ms) then
      return found
    end
    local is_after = not wanted.before_ms or tonumber(ms) < tonumber(wanted.before_ms)
      or comes_before(id, wanted.before_id)
    if is_after and fits(packed[(n + 1) / 2]) then
      found[#found + 1] = redis.call('HGET', closed, id)
      if #found - 2 == wanted.limit then
        return found
      end
    end
    last_ms, last_id = ms, id
  end
  if #part < 200 then
    return found
  end
  rank, looked_at = rank + 100, looked_at + 100
end
found[1], found[2] = last_ms, last_id
return found
