-- Coroutines made before any limit was near, resumed again and again.
-- expect: limit call
local list = {}
for i = 1, 50 do list[i] = coroutine.create(function() while true do coroutine.yield() end end) end
while true do for _, co in ipairs(list) do coroutine.resume(co) end end
