-- __gc in a metatable.
-- expect: error '__gc' is not for sandboxed scripts
setmetatable({}, { __gc = function() while true do end end })
