-- coroutine.close inside __close inside coroutine.close, thousands deep.
-- expect: ok
-- call-ms: 1000
local function nest(n)
  return coroutine.wrap(function()
    local inner = n > 0 and coroutine.create(nest) or nil
    local x <close> = setmetatable({}, { __close = function()
      if inner then coroutine.resume(inner, n - 1); coroutine.close(inner) end
    end })
    coroutine.yield()
  end)()
end
local co
local function make(n, inner)
  local this = coroutine.create(function()
    local x <close> = setmetatable({}, { __close = function() if inner then coroutine.close(inner) end end })
    coroutine.yield()
  end)
  coroutine.resume(this)
  return this
end
for i = 1, 2000 do co = make(i, co) end
coroutine.close(co)
