-- A text that doubles until there is no memory.
-- expect: limit memory
-- call-ms: 1000
local s = "x"; while true do s = s .. s end
