-- Vectors without end.
-- expect: limit memory
-- call-ms: 1000
local vec, t = require "lacuna.vec", {}; for i = 1, 1e6 do t[i] = vec.new(32000) end
