-- Half a million wide conversions.
-- expect: limit call
-- memory-mb: 64
local f, t = ("%99.99f"):rep(100000), {}; for i = 1, 100000 do t[i] = 1e308 end; while true do string.format(f, table.unpack(t)) end
