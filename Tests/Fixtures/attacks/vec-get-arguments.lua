-- A third argument where vec:get puts its table.
-- expect: ok
local v = require "lacuna.vec".new(10, 1.5)
for _, extra in ipairs { 0x414141414141, 5, "text", v, print, {} } do
  local values = v:get({ 1, 2, 3 }, extra)
  assert(#values == 3 and values[3] == 1.5)
end
