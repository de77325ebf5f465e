-- Print an answer as it comes, with how sure the model was of each piece.
-- Shows stream and its events; leaving the loop early would end the generation.
-- Run: lacuna run examples/03-streaming.lua
local lacuna <const> = require "lacuna"

local model <const> = assert(lacuna.model())
local session <close> = model:session {
  template = "tofu",
  messages = { { role = "user", content = "Which award has Marisol Tannhauer won?" } },
}

local count, sum, finish = 0, 0.0, nil
for piece, event in session:stream { max_tokens = 64, sampler = { { "greedy" } } } do
  lacuna.write(piece)
  if event.token then
    count, sum = count + 1, sum + event.logprob
  end
  finish = event.finish or finish
end
print(("\n%d tokens, mean probability %.3f, ended by %s"):format(count, math.exp(sum / count), finish))
