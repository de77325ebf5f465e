-- concat of a table whose elements nobody stored.
-- expect: limit call
table.concat(setmetatable({}, { __len = function() return 1 << 62 end, __index = function() return "" end }))
