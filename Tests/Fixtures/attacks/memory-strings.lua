-- Different strings without end.
-- expect: limit memory
-- call-ms: 1000
local t = {}; for i = 1, 1e9 do t[i] = "text number " .. i end
