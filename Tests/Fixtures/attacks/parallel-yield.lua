-- Yields to nobody, by every way to reach the coroutine of an item.
-- expect: ok
local parallel = require "lacuna".parallel
local tricks = {
  function() coroutine.yield() end,
  function() coroutine.wrap(function() coroutine.yield() end)() coroutine.yield(1, 2, 3) end,
  function() pcall(coroutine.yield) end,
  function() setmetatable({}, { __index = function() return coroutine.yield() end }).x = setmetatable({}, { __index = coroutine.yield }).y end,
  function() local guard <close> = setmetatable({}, { __close = coroutine.yield }) end,
  coroutine.yield,
}
local _, errors = parallel(tricks, function(trick) return trick() end)
for i = 1, #tricks do assert(errors[i].code == "cannot_yield", i .. ": " .. tostring(errors[i])) end
