-- Items that wait for a model when the time is over.
-- expect: limit call
-- needs: host
-- call-ms: 700
-- memory-mb: 64
local lacuna = require "lacuna"
local m = assert(lacuna.model())
lacuna.parallel({ 1, 2, 3 }, function(i)
  while true do
    local guard <close> = setmetatable({}, { __close = function() m:session { text = "late" }:logits() end })
    pcall(function() m:session { text = "Hello", seed = i }:generate { max_tokens = 40 } end)
  end
end)
