-- A traceback through a module table of a million names.
-- expect: limit call
-- memory-mb: 64
local t = {}
for i = 1, 1e5 do t["n" .. i] = i end
while true do pcall(error, setmetatable({}, { __index = t })); debug.traceback() end
