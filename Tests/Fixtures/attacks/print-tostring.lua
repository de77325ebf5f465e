-- print of something whose __tostring does not return.
-- expect: limit call
print(setmetatable({}, { __tostring = function() while true do end end }))
