-- A failing wrapped coroutine whose handler does not return.
-- expect: limit call
coroutine.wrap(function()
  local x <close> = setmetatable({}, { __close = function() while true do end end })
  error "now"
end)()
