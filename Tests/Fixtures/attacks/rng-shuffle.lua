-- A shuffle of a list of a million.
-- expect: limit call
-- memory-mb: 64
local t = {}; for i = 1, 3e5 do t[i] = i end; local r = require "lacuna.rng"(1); while true do r:shuffle(t) end
