-- Items that resume, close and wrap their own and each others coroutines.
-- expect: ok
local parallel, threads = require "lacuna".parallel, {}
local results = parallel({ 1, 2, 3 }, function(i)
  threads[i] = coroutine.running()
  for _, thread in pairs(threads) do
    coroutine.resume(thread, 1)
    pcall(coroutine.close, thread)
    pcall(coroutine.wrap(function() coroutine.resume(thread) coroutine.close(thread) end))
  end
  return i
end, { max = 3 })
assert(results[1] == 1 and results[2] == 2 and results[3] == 3)
for i = 1, 3 do assert(not coroutine.resume(threads[i])) end
