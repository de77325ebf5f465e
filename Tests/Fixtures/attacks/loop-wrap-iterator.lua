-- A wrapped coroutine as an iterator that never ends.
-- expect: limit call
for _ in coroutine.wrap(function() while true do coroutine.yield(1) end end) do end
