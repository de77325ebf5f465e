-- An __index function that does not return.
-- expect: limit call
local t = setmetatable({}, { __index = function() while true do end end }); return t.x
