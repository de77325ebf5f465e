-- Thousands of labels and jumps.
-- expect: limit call
local parts = {}
for i = 1, 3000 do parts[#parts + 1] = "goto l" .. i .. " ::l" .. i .. "::" end
local source = "do " .. table.concat(parts, " ") .. " end"
while true do load(source) end
