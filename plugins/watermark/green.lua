-- Which tokens are green after another one: the same for whoever writes and whoever looks.
local lacuna <const> = require "lacuna"
local green <const> = {}

-- A stream of random numbers for each (key, previous token); the first share of a permutation would cost a sort of
-- the vocabulary, so each token is green by a draw of its own.
function green.set(key, previous, size, share)
  local rng = lacuna.rng(key, previous)
  local ids = {}
  for id = 0, size - 1 do
    if rng:uniform() < share then ids[#ids + 1] = id end
  end
  return lacuna.set.new(size, ids)
end

return green
