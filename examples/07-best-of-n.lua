-- Draw several answers and keep the one that the model itself finds most probable.
-- Shows mark and rewind: the prompt is read once, and each try draws from a random stream of its own.
-- Run: lacuna run examples/07-best-of-n.lua --seed 1
local lacuna <const> = require "lacuna"
local TRIES <const> = 6

local model <const> = assert(lacuna.model())
local session <close> = model:session {
  template = "tofu",
  messages = { { role = "user", content = "Which kind of books does Marisol Tannhauer write?" } },
}

local start <const> = session:mark()
local best
for try = 1, TRIES do
  local sum, tokens = 0.0, {}
  for _, event in session:stream {
    max_tokens = 48, stream = try, sampler = { { "temperature", t = 1.8 }, { "min_p", p = 0.02 }, { "dist" } },
  } do
    if event.token then
      sum = sum + event.logprob
      tokens[#tokens + 1] = event.token
    end
  end
  local mean, text = sum / math.max(#tokens, 1), model:decode(tokens)
  print(("try %d  mean logprob %7.3f  %s"):format(try, mean, text))
  if not best or mean > best.mean then best = { mean = mean, text = text } end
  session:rewind(start)
end
print("best   " .. best.text)
