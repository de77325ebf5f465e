-- Two hundred levels of pcall around an endless loop, each going on after an error.
-- expect: limit call
local function level(n)
  if n == 0 then while true do end end
  while true do pcall(level, n - 1) end
end
level(150)
