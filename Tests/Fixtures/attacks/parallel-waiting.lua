-- Coroutines that wait for a model: resumed, closed and left behind by others, and their sessions taken away.
-- expect: ok
-- needs: host
-- call-ms: 5000
-- memory-mb: 64
local lacuna = require "lacuna"
local m, threads, sessions = assert(lacuna.model()), {}, {}
local results, errors = lacuna.parallel({ 1, 2, 3, 4 }, function(i)
  threads[i] = coroutine.running()
  sessions[i] = m:session { text = "Hello" }
  if i < 3 then return #sessions[i]:generate { max_tokens = 4 }.tokens end
  for n = 1, 2 do
    assert(not coroutine.resume(threads[n]))
    assert(not pcall(coroutine.close, threads[n]))
    assert(not pcall(sessions[n].push, sessions[n], 5))
    sessions[n]:close()
  end
  return i
end)
assert(results[1] == nil or results[1] >= 0)
assert(results[3] == 3 and results[4] == 4, tostring(errors[4]))
