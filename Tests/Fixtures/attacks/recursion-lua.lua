-- Recursion without end.
-- expect: error stack overflow
-- memory-mb: 256
-- call-ms: 2000
local function f() return 1 + f() end f()
