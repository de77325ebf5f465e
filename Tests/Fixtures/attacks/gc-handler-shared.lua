-- __gc in a metatable that the host shares.
-- expect: ok
local vec = require "lacuna.vec".new(4)
assert(getmetatable(vec) == false)
assert(not pcall(setmetatable, vec, {}))
