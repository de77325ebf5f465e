-- Closures without end.
-- expect: limit memory
-- call-ms: 1000
local t = {}; for i = 1, 1e9 do t[i] = function() return i end end
