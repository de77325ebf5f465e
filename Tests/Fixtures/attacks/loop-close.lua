-- A __close handler that does not return.
-- expect: limit call
do local x <close> = setmetatable({}, { __close = function() while true do end end }) end
