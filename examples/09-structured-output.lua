-- An answer that is JSON and nothing else.
-- Shows lacuna.grammar: a schema becomes a mask over the vocabulary, before the sampler chain, at every token.
-- Run: lacuna run examples/09-structured-output.lua
local lacuna <const> = require "lacuna"

local card <const> = assert(lacuna.grammar.json {
  type = "object", additionalProperties = false, required = { "name", "genre", "born" },
  properties = {
    name = { type = "string", minLength = 1, maxLength = 24 },
    genre = { enum = { "history", "poetry", "fiction" } },
    born = { type = "integer", minimum = 1800, maximum = 2025 },
  },
})
-- Checked without a model.
assert(card:accepts '{"name":"A","genre":"poetry","born":1970}')

local model <const> = assert(lacuna.model())
local session <close> = model:session {
  text = "[INST] Where and when was Marisol Tannhauer born? [/INST]",
}
local pieces <const>, forced, tokens, finish = {}, 0, 0, nil
for piece, event in session:stream { grammar = card, max_tokens = 200, sampler = { { "greedy" } } } do
  pieces[#pieces + 1], finish = piece, event.finish
  if event.token then tokens = tokens + 1 end
  if event.forced then forced = forced + 1 end            -- one legal token: nothing was drawn
end
if finish ~= "grammar" then error("cut off: " .. finish) end   -- "length" would not be valid JSON

local value <const> = assert(lacuna.json.decode(table.concat(pieces)))
print(("%s, %s, %d"):format(value.name, value.genre, value.born))
print(("%d tokens, %d of them forced"):format(tokens, forced))
