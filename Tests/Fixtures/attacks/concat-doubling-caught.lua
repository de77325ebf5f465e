-- The same, with every error caught.
-- expect: limit memory
-- call-ms: 1000
local s = "x"; while true do pcall(function() s = s .. s end) end
