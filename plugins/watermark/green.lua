-- Which tokens are green after another one: the same for whoever writes and whoever looks.
local lacuna <const> = require "lacuna"
local green <const> = {}

-- A stream of random numbers for each (key, previous token); the first share of a permutation would cost a sort of
-- the vocabulary, so each token is green by a draw of its own.
function green.set(key, previous, size, share)
  local rng <const>, ids = lacuna.rng(key, previous), {}
  local draw <const> = rng.uniform         -- looked up once: there is a draw for each token
  for id = 0, size - 1 do
    if draw(rng) < share then ids[#ids + 1] = id end
  end
  return lacuna.set.new(size, ids)
end

-- How many of `wanted` ({ [id] = true }) are green: by the draws of `set`, up to the last that is asked about.
function green.count(key, previous, wanted, share)
  local last, hits = 0, 0
  for id in pairs(wanted) do last = math.max(last, id) end
  local rng <const> = lacuna.rng(key, previous)
  local draw <const> = rng.uniform
  for id = 0, last do
    if draw(rng) < share and wanted[id] then hits = hits + 1 end
  end
  return hits
end

return green
