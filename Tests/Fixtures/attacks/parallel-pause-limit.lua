-- Items that wait, with things to close, when the time is over.
-- expect: limit call
local lacuna <const> = require "lacuna"
local has_pause, pause = pcall(function() return lacuna.pause end)
if not has_pause or not pause then pause = function() end end
lacuna.parallel({ 1, 2, 3 }, function()
  local guard <close> = setmetatable({}, { __close = function() while true do pause() end end })
  while true do pcall(function() while true do pause() end end) end
end)
