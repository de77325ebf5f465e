-- As many constants as fit.
-- expect: limit call
local parts = {}
for i = 1, 6000 do parts[#parts + 1] = "x='" .. i .. "'" end
local source = "local x; " .. table.concat(parts, " ")
while true do load(source) end
