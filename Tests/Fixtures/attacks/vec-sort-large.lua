-- A full sort of the largest vector.
-- expect: limit call
-- memory-mb: 64
local v = require "lacuna.vec".new(1 << 19); for i = 0, #v - 1, 7 do v[i] = i end; while true do v:topk(#v) end
