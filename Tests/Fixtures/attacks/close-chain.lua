-- A hundred thousand pending __close handlers when the limit is reached.
-- expect: limit call
-- memory-mb: 64
local mt = { __close = function() for _ = 1, 1e9 do end end }
local function deeper(n)
  local x <close> = setmetatable({}, mt)
  if n == 0 then while true do end end
  deeper(n - 1)
end
pcall(deeper, 60000)
