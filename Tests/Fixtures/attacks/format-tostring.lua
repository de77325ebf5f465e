-- __tostring that does not return, by %s.
-- expect: limit call
string.format("%s", setmetatable({}, { __tostring = function() while true do end end }))
