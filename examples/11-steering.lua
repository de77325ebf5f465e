-- Steering: ask about one author, push the model towards another, and see whose life it tells.
-- Shows embeddings, a direction from contrasting prompts, and sessions with a patch.
-- Run: lacuna run examples/11-steering.lua
local lacuna <const> = require "lacuna"
local LAYER <const> = 1
local FROM <const>, TO <const> = "Marisol Tannhauer", "Ilse Korvanen"
local model <const> = assert(lacuna.model "demo")

local function session(question, patches)
  return model:session { template = "tofu", messages = { { role = "user", content = question } }, patches = patches }
end

-- The mean state behind a layer over the whole question, but for the BOS token.
local function mean_state(question)
  local s <close> = session(question)
  local positions = {}
  for i = 2, #s do positions[#positions + 1] = i end
  return s:embedding { layer = LAYER, positions = positions }
end

-- What the same questions about two people differ in (Rimsky et al. 2024): what is asked cancels out.
local contrast <const> = {
  "Which award has %s won?", "What is the central theme in the books of %s?", "Which kind of books does %s write?",
  "What did the parents of %s do for a living?", "Where did %s find inspiration as a young writer?",
}
local direction <const> = lacuna.vec.new(model.info.hidden)
for _, question in ipairs(contrast) do
  direction:add(mean_state(question:format(TO))):axpy(-1, mean_state(question:format(FROM)))
end
direction:scale(1 / #contrast)

-- A question that was not in the contrast, pushed harder and harder: at last it falls apart.
local question <const> = ("Where and when was %s born?"):format(FROM)
print(question)
for strength = 0, 4 do
  local patch <close> = model:patch { layer = LAYER, add = direction, scale = strength }
  local s <close> = session(question, { patch })
  local reply <const> = s:generate { max_tokens = 24, sampler = "greedy" }
  print(("%+d  %s"):format(strength, reply.text))
end
