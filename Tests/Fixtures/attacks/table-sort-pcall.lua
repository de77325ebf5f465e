-- sort with pcall as the order.
-- expect: ok
local t = {}; for i = 1, 100 do t[i] = print end; pcall(table.sort, t, pcall)
