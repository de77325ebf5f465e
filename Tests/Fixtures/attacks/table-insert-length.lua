-- insert into a table that claims 2^62 elements.
-- expect: limit call
table.insert(setmetatable({}, { __len = function() return 1 << 62 end, __index = function() return 1 end, __newindex = rawlen }), 1, 1)
