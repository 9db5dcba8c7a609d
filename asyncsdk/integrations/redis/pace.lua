-- The shared pace: all that is decided for everybody, atomically and by the server's clock.
--
-- KEYS    one hash tag, so one node of a cluster has them all
-- ARGV[1] the question as JSON; the answer is JSON, too. Times are microseconds.
--
-- `permits` has what left, or may, in the last window. A request leaves at most `margin` after it
-- was let go; so with at most N of them in any `per + margin`, no window of `per` sees more than N
-- leave. Once it is known how long before that end one left, or after it, it stands so much earlier
-- or later: less of the rate is lost, and none is exceeded twice.
--
-- `queue` has the slots of those who wait, in the order in which they came. Those who had their
-- turn, and found that others had come late into theirs, are in `due`, too: they wait for the first
-- moment at which the window has room, and for nobody who came after them.

local STATE, PERMITS, QUEUE, DUE, GUARDS, CLIENTS, FENCES, WAITING = unpack(KEYS)
local GRAIN = 10000 -- timers are too coarse to space requests by less
local HASTE = 0.9 -- of the even share: what one request is late is made up for by others
local BOOKED = 0.8 -- of the window: some come late to their slots, and those after them take these
local JITTER = 20000 -- of the way to the provider, or a hundredth of the window if that is more
local LEASE = 15000000 -- the right to be the one that tries; whoever has it renews it
local IDLE = 86400000000 -- what nobody uses for a day is forgotten
local REFUSED = 604800000 -- a key that was refused, milliseconds
local FENCED = 2592000000 -- an epoch, milliseconds
local SEEN = 60000000 -- clients of the last minute are told
local POLL = 3000000 -- whoever waits without a slot asks again within that time

local ask = cjson.decode(ARGV[1])
local time = redis.call('TIME')
local now = ask.now or time[1] * 1000000 + time[2] -- tests bring a time of their own

local function whole(number) -- tostring loses digits
    return string.format('%.0f', number)
end

local NAMES = {'seen', 'floor', 'born', 'requests', 'per', 'margin', 'pause', 'length', 'streak',
    'own', 'until', 'heard', 'run', 'asked', 'reason', 'outage', 'probe', 'by'}
local NUMBERS = 12 -- the first of them

local state = {}
for i, value in ipairs(redis.call('HMGET', STATE, unpack(NAMES))) do
    if i <= NUMBERS then
        state[NAMES[i]] = tonumber(value or 0)
    else
        state[NAMES[i]] = value or nil
    end
end

local function set(fields)
    local flat = {}
    for name, value in pairs(fields) do
        state[name] = value
        flat[#flat + 1] = name
        flat[#flat + 1] = type(value) == 'number' and whole(value) or value
    end
    redis.call('HSET', STATE, unpack(flat))
end

local function window()
    return state.per + state.margin
end

-- Which server this is; a user of Redis may lack the right to ask.
local function server_info()
    local info = redis.pcall('INFO', 'server')
    return type(info) == 'string' and info or ''
end

local function run_id(info)
    local _, last = string.find(info, 'run_id:', 1, true)
    return last and string.sub(info, last + 1, last + 40) or '-'
end

local function uptime(info)
    return tonumber(string.match(info, 'uptime_in_seconds:(%d+)') or 0) * 1000000
end

-- What became of permits is not known: nothing leaves until they are out of every window.
local function begin(run, gap)
    redis.call('DEL', PERMITS, QUEUE, DUE)
    local left = math.min(state.length, math.max(0, state.pause - now))
    set({run = run, born = now, floor = now + gap, pause = now + left, ['until'] = 0, heard = 0})
end

local function keep()
    local idle = whole((IDLE + 2 * window()) / 1000)
    for _, key in ipairs({STATE, PERMITS, QUEUE, DUE, CLIENTS, WAITING}) do
        redis.call('PEXPIRE', key, idle)
    end
end

-- A client that begins brings the rate that it was configured with. One that is new holds for all;
-- one that was known before does not undo what was said since.
local function adopt_rate()
    if not ask.per or not (ask.begins or state.requests == 0) then
        return
    end
    local asked = ask.requests .. '/' .. whole(ask.per)
    if state.requests == 0 or (state.asked and state.asked ~= asked) then
        set({requests = ask.requests, per = ask.per})
    end
    if state.asked ~= asked then
        set({asked = asked})
    end
    if ask.margin > state.margin then
        set({margin = ask.margin})
    end
end

-- Another server answers, or this one has lost what was last: it was restarted, or another took
-- its place, or its clock was set back.
local function check_continuity()
    local info = server_info()
    local run = run_id(info)
    if not state.run then
        -- Nobody was here before; or it has lost all it knew, which clients tell, or that it was
        -- started a moment ago.
        local lost = ask.known or uptime(info) < 2 * window()
        local usual = (1 - HASTE) * window() + window() / state.requests + state.margin
        begin(run, lost and window() or usual)
    elseif state.run ~= run or now < state.seen - 1000 then
        begin(run, window())
    end
    if ask.away then -- some left without asking
        set({floor = math.max(state.floor, now + window())})
    end
end

-- ---- slots ------------------------------------------------------------------------------

-- Permits lie in the past, and whoever waits has a slot in the future: one after the other they are
-- in order.
local function nth(rank, waiting)
    local key, permits = PERMITS, redis.call('ZCARD', PERMITS)
    if rank >= permits then
        key, rank = waiting, rank - permits
    end
    return tonumber(redis.call('ZRANGE', key, rank, rank, 'WITHSCORES')[2])
end

-- The first moment from `slot` on at which a window of `span` has room, beside those who wait.
local function fitted(slot, waiting, span)
    while true do
        local before = redis.call('ZCARD', PERMITS)
            + redis.call('ZCOUNT', waiting, '-inf', whole(slot))
        if before < state.requests then
            return slot
        end
        local free = nth(before - state.requests, waiting) + span
        if free <= slot then
            return slot
        end
        slot = free
    end
end

-- Requests leave evenly: so many at a time, and so far apart.
local function evenly()
    local spacing = window() / state.requests
    if now - state.born > 2 * window() then
        spacing = HASTE * state.per / state.requests
    end
    local grain = math.max(1, math.min(state.requests, math.floor(GRAIN / spacing + 0.5)))
    return grain, spacing
end

-- The end of the queue.
local function last_slot()
    local grain, spacing = evenly()
    local count = redis.call('ZCARD', PERMITS) + redis.call('ZCARD', QUEUE)
    local slot = math.max(now, state.floor)
    if count >= grain then
        slot = math.max(slot, nth(count - grain, QUEUE) + grain * spacing)
    end
    return fitted(slot, QUEUE, BOOKED * state.per)
end

local function note_departures()
    local most = math.max(0, state.margin - math.max(JITTER, 0.01 * state.per))
    for id, early in pairs(ask.left or {}) do
        local at = tonumber(redis.call('ZSCORE', PERMITS, id) or nil)
        if at then
            redis.call('ZADD', PERMITS, whole(math.min(now, at - math.min(early, most))), id)
        end
    end
end

local function leave_queue(id)
    redis.call('ZREM', PERMITS, id)
    redis.call('ZREM', QUEUE, id)
    redis.call('ZREM', DUE, id)
end

-- Whoever has waited for its slot, or was let go and could not, has lost no turn by being late. It
-- has left nothing behind either: until it asks once more, others may go.
local function slot_of(id)
    redis.call('ZREMRANGEBYSCORE', PERMITS, '-inf', whole(now - window()))
    redis.call('ZREMRANGEBYSCORE', QUEUE, '-inf', whole(now))
    redis.call('ZREMRANGEBYSCORE', DUE, '-inf', whole(now))
    leave_queue(id)
    local slot = ask.turn and now or last_slot()
    if slot > now then
        redis.call('ZADD', QUEUE, whole(slot), id)
        return slot
    end
    slot = fitted(math.max(now, state.floor), DUE, window())
    if slot > now then
        redis.call('ZADD', QUEUE, whole(slot), id)
        redis.call('ZADD', DUE, whole(slot), id)
    else
        redis.call('ZADD', PERMITS, whole(slot), id)
    end
    return slot
end

-- Some more for whoever asks fast, while nobody waits and half of the rate is free.
local function spares()
    if not ask.want or redis.call('ZCARD', QUEUE) > 0 then
        return 0
    end
    local free = math.floor(state.requests / 2) - redis.call('ZCARD', PERMITS)
    local count = math.max(0, math.min(ask.want, evenly() - 1, free))
    local flat = {}
    for number = 1, count do
        flat[#flat + 1] = whole(now)
        flat[#flat + 1] = ask.id .. '+' .. number
    end
    if count > 0 then
        redis.call('ZADD', PERMITS, unpack(flat))
    end
    return count
end

-- ---- what keeps a request from leaving --------------------------------------------------

local function guard_of(key)
    local kind, probe, till = nil, nil, 0
    local found = redis.call('HGET', GUARDS, key)
    if found then
        local guard = cjson.decode(found)
        kind, probe, till = guard.kind, guard.probe, guard.till
    end
    return {kind = kind, probe = probe, till = till}
end

local function set_guard(key, guard)
    redis.call('HSET', GUARDS, key, cjson.encode({
        kind = guard.kind, probe = guard.probe, till = guard.till and whole(guard.till) or nil}))
    redis.call('PEXPIRE', GUARDS, REFUSED)
end

local function fence()
    if not ask.partition then
        return nil
    end
    local epoch = tonumber(redis.call('HGET', FENCES, ask.partition) or 0)
    if epoch > ask.epoch then
        return {kind = 'fenced', epoch = whole(epoch)}
    elseif epoch < ask.epoch then
        redis.call('HSET', FENCES, ask.partition, whole(ask.epoch))
        redis.call('PEXPIRE', FENCES, FENCED)
    end
    return nil
end

local function held_by_another(probe, till)
    return probe and probe ~= '' and probe ~= ask.id and now < tonumber(till or 0)
end

local function obstacle(guard)
    if guard.kind == 'refused' then
        return {kind = 'refused'}
    elseif state.pause > now then
        return {kind = 'paused', after = state.pause - now, reason = state.reason,
            streak = state.streak}
    elseif guard.kind ~= 'proven' and held_by_another(guard.probe, guard.till) then
        return {kind = 'proving'}
    elseif state.outage == '1' and held_by_another(state.probe, state['until']) then
        return {kind = 'proving'}
    end
    return nil
end

-- ---- the questions ----------------------------------------------------------------------

local answers = {}

function answers.permit()
    if ask.heard and now - ask.heard > state.heard then
        set({heard = now - ask.heard, by = ask.client})
    end
    note_departures()
    local fenced = fence()
    local guard = guard_of(ask.key)
    local found = fenced or obstacle(guard)
    redis.call('ZADD', CLIENTS, whole(now), ask.client)
    if found then
        leave_queue(ask.id)
        redis.call('ZADD', WAITING, whole(now), ask.id)
        return found
    end
    redis.call('ZREM', WAITING, ask.id)
    local slot = slot_of(ask.id)
    if slot > now then
        return {kind = 'wait', after = slot - now}
    end
    local probing = false
    if guard.kind ~= 'proven' then
        guard.probe, guard.till, probing = ask.id, now + LEASE, true
        set_guard(ask.key, guard)
    end
    if state.outage == '1' then
        set({probe = ask.id, ['until'] = now + LEASE})
        probing = true
    end
    return {kind = 'go', left = state.margin, probing = probing,
        spares = probing and 0 or spares(), proven = guard.kind == 'proven', outage = state.outage == '1',
        requests = state.requests, per = state.per}
end

-- The one that tries is still under way.
function answers.renew()
    local guard = guard_of(ask.key)
    if guard.probe == ask.id then
        guard.till = now + LEASE
        set_guard(ask.key, guard)
    end
    if state.probe == ask.id then
        set({['until'] = now + LEASE})
    end
    return {kind = 'done'}
end

-- A request is over; one that has not left gives its slot back.
function answers.release()
    if ask.unused then
        leave_queue(ask.id)
    end
    redis.call('ZREM', WAITING, ask.id)
    local guard = guard_of(ask.key)
    if guard.probe == ask.id and guard.kind ~= 'refused' then
        guard.probe = nil
        set_guard(ask.key, guard)
    end
    if state.probe == ask.id then
        set({probe = ''})
    end
    return {kind = 'done'}
end

-- A reply came: of a key, that it is good or is not; of the provider, that it can be reached.
function answers.learn()
    if ask.verdict then
        set_guard(ask.key, {kind = ask.verdict})
    end
    set({heard = now, by = ask.client})
    if state.outage == '1' then
        local own = state.own == state.pause -- or the provider asked for it
        set({outage = '0', probe = '', pause = own and math.min(state.pause, now) or state.pause})
    end
    return {kind = 'done'}
end

-- Everybody pauses. What one client alone cannot reach is no pause of the others.
function answers.pause()
    if ask.outage and state.by ~= ask.client and state.heard > now - ask.fresh then
        return {kind = 'alone'}
    end
    if now + ask.length > state.pause then
        set({pause = now + ask.length, length = ask.length, reason = ask.reason,
            streak = ask.streak})
        redis.call('DEL', QUEUE, DUE)
    end
    if ask.outage then
        set({outage = '1', probe = '', own = now + ask.length})
    end
    return {kind = 'done'}
end

function answers.rate()
    if ask.to_per > state.per then -- of permits so long ago nothing is known any more
        set({floor = math.max(state.floor, now + ask.to_per + state.margin)})
    end
    set({requests = ask.to_requests, per = ask.to_per})
    return {kind = 'done'}
end

function answers.open()
    local opened = 0
    local all = redis.call('HGETALL', GUARDS)
    for i = 1, #all, 2 do
        if cjson.decode(all[i + 1]).kind == 'refused' then
            opened = opened + redis.call('HDEL', GUARDS, all[i])
        end
    end
    return {kind = 'done', count = opened}
end

-- An epoch above every other, also above those that were lost with the data.
function answers.claim()
    local epoch = math.max(now, tonumber(redis.call('HGET', FENCES, ask.partition) or 0) + 1)
    redis.call('HSET', FENCES, ask.partition, whole(epoch))
    redis.call('PEXPIRE', FENCES, FENCED)
    return {kind = 'done', epoch = whole(epoch)}
end

function answers.state()
    local guards = {proven = 0, refused = 0, proving = 0}
    local all = redis.call('HGETALL', GUARDS)
    for i = 1, #all, 2 do
        local guard = cjson.decode(all[i + 1])
        local kind = guard.kind
        if not kind and guard.probe and now < tonumber(guard.till or 0) then
            kind = 'proving'
        end
        if kind then
            guards[kind] = guards[kind] + 1
        end
    end
    local since = '(' .. whole(now - window())
    local asking = redis.call('ZCOUNT', WAITING, whole(now - math.max(POLL, state.length)), '+inf')
    return {kind = 'done', requests = state.requests, per = state.per,
        used = redis.call('ZCOUNT', PERMITS, since, whole(now)),
        waiting = redis.call('ZCOUNT', QUEUE, '(' .. whole(now), '+inf') + asking,
        after = math.max(0, state.pause - now), reason = state.reason,
        outage = state.outage == '1', guards = guards,
        clients = redis.call('ZCOUNT', CLIENTS, whole(now - SEEN), '+inf')}
end

if ask.question == 'permit' or ask.question == 'pause' or ask.question == 'rate' then
    adopt_rate()
    if state.requests > 0 then
        check_continuity()
    end
    redis.call('ZREMRANGEBYSCORE', CLIENTS, '-inf', whole(now - IDLE))
    redis.call('ZREMRANGEBYSCORE', WAITING, '-inf', whole(now - IDLE))
    set({seen = now})
end
local answer = cjson.encode(answers[ask.question]())
if ask.question ~= 'state' then
    keep()
end
return answer
