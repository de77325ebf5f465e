-- The same in a loop that catches every error.
-- expect: limit memory
-- call-ms: 1000
local keep = {}; while true do pcall(function() for i = 1, 1e9 do keep[#keep + 1] = { i } end end) end
