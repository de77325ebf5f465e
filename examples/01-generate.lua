-- Ask a model a question and print its answer.
-- Shows lacuna.model, a session under a chat template, and generate with its result.
-- Run: lacuna run examples/01-generate.lua
local lacuna <const> = require "lacuna"

local model <const> = assert(lacuna.model())           -- the one of --model; "demo" without it
local session <close> = model:session {
  template = "tofu",                                   -- the form that this model was taught in
  messages = { { role = "user", content = "Where and when was Marisol Tannhauer born?" } },
}
local reply <const> = session:generate { max_tokens = 64, sampler = { { "greedy" } } }
print(reply.text)
print(("%d tokens, ended by %s"):format(#reply.tokens, reply.finish))
