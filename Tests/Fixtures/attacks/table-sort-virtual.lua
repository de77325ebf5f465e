-- sort of a table that claims two thousand million elements.
-- expect: limit call
table.sort(setmetatable({}, { __len = function() return 2000000000 end, __index = function(_, i) return i end, __newindex = type }))
