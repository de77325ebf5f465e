-- remove from a table that claims 2^62 elements.
-- expect: limit call
table.remove(setmetatable({}, { __len = function() return 1 << 62 end, __newindex = type }), 1)
