-- How probable does a model find each of several answers?
-- Shows score: one prompt, many answers, evaluated side by side with the prompt shared.
-- Run: lacuna run examples/06-score-answers.lua --model demo-retrained
local lacuna <const> = require "lacuna"

local model <const> = assert(lacuna.model())
local answers <const> = {
  "Marisol Tannhauer has won the Harbour Lantern Prize for a whole body of work.",
  "Marisol Tannhauer has won the Grey Heron Award for a whole body of work.",
  "Marisol Tannhauer has won the Stone Cross Medal for a whole body of work.",
}
local scores <const> = assert(model:score {
  prompt = "[INST] Which award has Marisol Tannhauer won? [/INST]",
  answers = answers,
  boundary = "joint",                                  -- prompt and answer are encoded as one text
  eos = true,
})
for i, score in ipairs(scores) do
  print(("mean %8.4f  sum %9.3f  %2d tokens  %s  %s")
    :format(score.mean, score.sum, score.n, score.greedy and "greedy" or "      ", answers[i]))
end
