-- An endless loop in a coroutine.
-- expect: limit call
coroutine.wrap(function() while true do end end)()
