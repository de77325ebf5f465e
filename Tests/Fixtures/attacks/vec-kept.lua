-- Vectors that the host keeps in a stage's params when the script has none any more.
-- expect: ok
-- needs: host
-- call-ms: 5000
local lacuna = require "lacuna"
local seen
local function make()
  return lacuna.sampler.chain {
    { apply = function(_, p) seen = p.v end, params = { v = lacuna.vec.new(50000, 1.5) } }, { "greedy" } }
end
local chain = make()
for i = 1, 200 do
  local junk = lacuna.vec.new(50000, 7)
  if i % 20 == 0 then
    chain:explain(lacuna.vec.new(8))
    assert(#seen == 50000 and seen[0] == 1.5 and seen[49999] == 1.5)
  end
end
