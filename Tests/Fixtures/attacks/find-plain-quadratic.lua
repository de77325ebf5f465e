-- A plain search for a text that is nearly everywhere.
-- expect: limit call
local s = ("a"):rep(4 << 20); return s:find(("a"):rep(1 << 20) .. "b", 1, true)
