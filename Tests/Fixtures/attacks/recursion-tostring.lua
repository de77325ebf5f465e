-- __tostring that asks for itself.
-- expect: error stack overflow
local t = setmetatable({}, {}); getmetatable(t).__tostring = function() return tostring(t) end; tostring(t)
