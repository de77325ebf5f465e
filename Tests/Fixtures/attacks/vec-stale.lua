-- Vectors with indices that are not there.
-- expect: ok
local v = require "lacuna.vec".new(8)
for _, i in ipairs { -1, 8, 1 << 62, 0.5, 0 / 0, math.huge } do
  assert(not pcall(function() return v[i] end)); assert(not pcall(function() v[i] = 1 end))
end
