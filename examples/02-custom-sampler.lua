-- A sampler written in Lua: min-p, which keeps the tokens at least p times as probable as the best one.
-- Shows a Lua stage between native ones, vectors that are worked on in place, and chain order as the script's choice.
-- Run: lacuna run examples/02-custom-sampler.lua --seed 3
local lacuna <const> = require "lacuna"

-- p_i >= p * p_max is l_i >= l_max + ln p: no softmax is needed.
local function min_p(p)
  return { apply = function(logits) logits:mask_below(logits:max() + math.log(p)) end }
end

local model <const> = assert(lacuna.model())
local prompt <const> = { { role = "user", content = "What is the central theme in the books of Marisol Tannhauer?" } }

local function ask(p)
  local session <close> = model:session { template = "tofu", messages = prompt }
  return session:generate {
    max_tokens = 48,
    sampler = { { "temperature", t = 2.5 }, min_p(p), { "dist" } },
  }.text
end

-- The hotter the draw, the more the cut matters.
for _, p in ipairs { 1e-9, 0.05, 0.9 } do
  print(("min-p %-6g %s"):format(p, ask(p)))
end
