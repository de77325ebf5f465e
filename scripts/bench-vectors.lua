-- What bulk operations on a vocabulary's logits take: `lacuna run scripts/bench-vectors.lua`. Best of seven, processor time.
local lacuna <const> = require "lacuna"
local vec <const> = require "lacuna.vec"

local COUNT <const> = 32000
local rng <const> = lacuna.rng(1)
local v <const>, w <const> = vec.new(COUNT), vec.new(COUNT)
for i = 0, COUNT - 1 do v[i], w[i] = 4 * rng:normal(), 4 * rng:normal() end
local set <const>, changed <const> = v:below(0), v:copy()

local function time(name, operation)
  for _ = 1, 20 do operation() end
  local best = math.huge
  for _ = 1, 7 do
    local start <const> = os.clock()
    for _ = 1, 50 do operation() end
    best = math.min(best, (os.clock() - start) / 50)
  end
  print(("%-14s %8.1f us"):format(name, best * 1e6))
end

for _, name in ipairs { "max", "argmax", "sum", "logsumexp", "entropy", "copy", "softmax", "log_softmax" } do
  time(name, function() return v[name](v) end)
end
time("dot", function() return v:dot(w) end)
time("kl", function() return v:kl(w) end)
time("topk(40)", function() return v:topk(40) end)
time("below", function() return v:below(0) end)
time("top_mass(0.95)", function() return v:top_mass(0.95) end)
time("sample", function() return v:sample(rng) end)
time("gumbel_topk(8)", function() return v:gumbel_topk(8, rng) end)
time("scale", function() return changed:scale(1.0) end)
time("axpy", function() return changed:axpy(0, w) end)
time("mask", function() return changed:mask(set) end)
time("keep", function() return changed:keep(set) end)
time("mask_below", function() return changed:mask_below(-3) end)
