-- Coroutines of items that wait: resumed, closed and wrapped by others, left in metamethods, handlers and iterators.
-- expect: ok
-- call-ms: 5000
-- What waits, where the sanitizers' driver runs this; elsewhere there is nothing to wait for.
local lacuna <const> = require "lacuna"
local has_pause, pause = pcall(function() return lacuna.pause end)
if not has_pause or not pause then pause = function() end end
local threads, log = {}, {}
local function meddle(i)
  for n, thread in pairs(threads) do
    if n ~= i then
      coroutine.resume(thread, "stolen")
      pcall(coroutine.close, thread)
      pcall(coroutine.wrap(function() coroutine.close(thread) end))
    end
  end
end
local ways = {
  function() for _ = 1, 100 do pause() end return 1 end,
  function() return select(2, pcall(function() pause() return 2 end)) end,
  function() return select(2, xpcall(function() pause() error "x" end, function() return 3 end)) end,
  function() return setmetatable({}, { __index = function() pause() return 4 end }).x end,
  function() local n = 0 for x in function(_, last) pause() last = (last or 0) + 1 return last < 6 and last or nil end do n = x end return n end,
  function() local n = 0 do local guard <close> = setmetatable({}, { __close = function() pause() n = 6 end }) end return n end,
  function() return coroutine.wrap(function() pause() coroutine.yield(7) end)() end,
  function() local r = lacuna.parallel({ 1, 2, 3 }, function(k) pause() return k end) return r[1] + r[2] + r[3] + 2 end,
  function() local ok, err = pcall(table.sort, { 1, 2 }, function() pause() return false end) return ok and 9 or err.code == "cannot_wait" and 9 end,
  function() local guard <close> = setmetatable({}, { __close = function() pcall(pause) end }) pause() error { 10 } end,
}
local results, errors = lacuna.parallel(ways, function(way, i)
  threads[i] = coroutine.running()
  meddle(i)
  pause()
  meddle(i)
  return way()
end)
for i = 1, 9 do assert(results[i] == (i == 5 and 5 or i), i .. ": " .. tostring(errors[i])) end
assert(errors[10][1] == 10)
