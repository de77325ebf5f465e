-- A call that would wait, below functions that cannot be left.
-- expect: ok
-- needs: host
-- call-ms: 5000
-- memory-mb: 64
local lacuna = require "lacuna"
local m = assert(lacuna.model())
local ways = {
  function(f) table.sort({ 1, 2, 3 }, f) end,
  function(f) ("abc"):gsub(".", f) end,
  function(f) load(f) end,
  function(f) table.concat(setmetatable({}, { __index = f, __len = function() return 2 end })) end,
  function(f) tostring(setmetatable({}, { __tostring = f })) end,
}
local _, errors = lacuna.parallel(ways, function(way) way(function() m:session { text = "a" }:logits() return "" end) end)
for i = 1, #ways do assert(errors[i] and errors[i].code == "cannot_wait", i .. ": " .. tostring(errors[i])) end
