-- A __close handler that would go on when the limit has ended the block.
-- expect: limit call
local x <close> = setmetatable({}, { __close = function() while true do end end })
while true do end
