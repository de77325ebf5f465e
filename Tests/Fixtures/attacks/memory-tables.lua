-- Tables inside a table without end.
-- expect: limit memory
-- call-ms: 1000
local t = {}; while true do t = { t } end
