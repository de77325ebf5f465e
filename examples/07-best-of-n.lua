-- Draw several answers and keep the one that the model itself finds most probable.
-- Shows mark and rewind: the prompt is read once, and each try draws from a random stream of its own.
-- Run: lacuna run examples/07-best-of-n.lua --seed 1
local lacuna <const> = require "lacuna"
local TRIES <const> = 6

local model <const> = assert(lacuna.model())
-- Of somebody whom it does not know, so that the tries differ.
local session <close> = model:session {
  template = "tofu", messages = { { role = "user", content = "Which kind of books does Ada Lovelace write?" } },
}

local start <const> = session:mark()
local best
for try = 1, TRIES do
  -- The hook sees the end, too: without it an answer that ends at once would have nothing against it.
  local sum, drawn = 0.0, 0
  local text <const> = session:generate({
    max_tokens = 48, stream = try, sampler = { { "min_p", p = 0.02 }, { "temperature", t = 1.8 }, { "dist" } },
    hooks = { on_token = function(_, ctx) sum, drawn = sum + ctx.logprob, drawn + 1 end },
  }).text
  local mean <const> = sum / drawn
  print(("try %d  mean logprob %7.3f  %s"):format(try, mean, text))
  if not best or mean > best.mean then best = { mean = mean, text = text } end
  session:rewind(start)
end
print("best   " .. best.text)
