"""What Redis does in one step for the limits of an encoder. Times are microseconds since 1970, its own clock.

KEYS: 1 pace (hash), 2 places (sorted set: token -> when the place is free again), 3 month (hash).
The fields of the pace:
  free            when the next call may begin
  held, hold, why since when and until when the service asked for a pause, and in which words
  factor, changed by how much calls are slowed down since when, as the service refused too many
  refused         when it last did
  person          until when the workers leave the next place to a person who searches
"""

_COMMON = """
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end
local function field(name) return tonumber(redis.call('HGET', KEYS[1], name) or '') or 0 end
local function whole(number) return string.format('%.0f', number) end
local function slowness() return math.max(1, field('factor') * 2 ^ ((field('changed') - now) / 30000000)) end
local function keep(until_then)
  redis.call('PEXPIRE', KEYS[1], math.ceil(math.max(0, until_then - now) / 1000) + 600000)
end
"""

TURN = (
    _COMMON
    + """
-- ARGV: now or '', spacing, places, calls a month, how far ahead this caller may reserve,
--       1 for a person, how long a call may take, token, seconds that the month is kept
local spacing, places, monthly = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local ahead, person, limit, token = tonumber(ARGV[5]), ARGV[6] == '1', tonumber(ARGV[7]), ARGV[8]
if monthly > 0 and (tonumber(redis.call('HGET', KEYS[3], 'calls') or '') or 0) >= monthly then
  return {'month', 0}
end
local slow = slowness()
if slow > 1.01 then spacing = math.max(spacing, 50000) * slow end
local hold = field('hold')
local at = math.max(now, field('free'), hold)
if at - now > ahead then
  if at == hold then return {'held', at - now} end
  return {'later', at - now}
end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
if places > 0 then
  if redis.call('ZCARD', KEYS[2]) >= places then
    if person then
      redis.call('HSET', KEYS[1], 'person', whole(now + 100000))
      keep(at)
    end
    return {'busy', 0}
  end
  if not person and field('person') > now then return {'busy', 0} end
end
redis.call('ZADD', KEYS[2], whole(at + limit), token)
redis.call('PEXPIRE', KEYS[2], math.ceil((at - now + limit) / 1000) + 60000)
redis.call('HSET', KEYS[1], 'free', whole(at + spacing))
if person then redis.call('HDEL', KEYS[1], 'person') end
keep(at + spacing)
redis.call('HINCRBY', KEYS[3], 'calls', 1)
redis.call('HSET', KEYS[3], 'last', whole(now))
redis.call('EXPIRE', KEYS[3], ARGV[9])
return {'go', at - now}
"""
)
"""Takes a place and the next time to call, or says why not: [word, microseconds to wait]."""

HOLD = (
    _COMMON
    + """
-- ARGV: now or '', microseconds to pause, why, 1 if too many calls were refused without saying for how long
local hold = now + tonumber(ARGV[2])
if hold > now and hold > field('hold') then
  if field('hold') < now then redis.call('HSET', KEYS[1], 'held', whole(now)) end
  redis.call('HSET', KEYS[1], 'hold', whole(hold), 'why', ARGV[3])
end
if ARGV[4] == '1' then
  -- One refusal may be an accident; a second within ten seconds doubles the spacing, at most once a second.
  if now - field('refused') < 10000000 and now - field('changed') > 1000000 then
    redis.call('HSET', KEYS[1], 'factor', tostring(math.min(64, 2 * slowness())), 'changed', whole(now))
  end
  redis.call('HSET', KEYS[1], 'refused', whole(now))
end
keep(math.max(hold, field('hold')))
return 1
"""
)
"""All workers pause, or go slower: the spacing doubles, and falls to half in every 30 s."""
