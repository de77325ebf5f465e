-- C functions, wrapped coroutines and lacuna.parallel itself as what is called for each item.
-- expect: ok
-- needs: host
local parallel = require "lacuna".parallel
for _, f in ipairs { print, pcall, error, coroutine.wrap(function() while true do coroutine.yield(1) end end), coroutine.running,
    coroutine.yield, table.sort, parallel, select, next, string.rep, setmetatable, coroutine.create } do
  pcall(parallel, { {}, 1, "x", print, false }, f)
end
local r = parallel(setmetatable({ 1, 2 }, { __len = function() return 1 << 60 end, __index = function() return 1 end }), function(x) return x end)
assert(#r == 2)
