-- Items whose __close never returns.
-- expect: limit call
require "lacuna".parallel({ 1, 2 }, function()
  local guard <close> = setmetatable({}, { __close = function() while true do end end })
  error "x"
end)
