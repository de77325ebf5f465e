-- Recursion through gsub.
-- expect: error C stack overflow
local function f() return (string.gsub("a", "a", f)) end f()
