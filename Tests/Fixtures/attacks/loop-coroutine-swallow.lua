-- A loop that resumes a new endless coroutine whenever one fails.
-- expect: limit call
while true do coroutine.resume(coroutine.create(function() while true do end end)) end
