local NEXT <const> = { a = { b = 4, c = 3.5 }, b = { c = 3, a = 2.5 }, c = { a = 3, b = 1 } }
local function model(t, name) return t.model { vocab = { "a", "b", "c" }, next = NEXT, name = name } end

return {
  ["the other model's name is asked for"] = function(t)
    t.raises(function() model(t):session({ text = "a" }):generate { decoder = "speculative" } end, '"draft"')
  end,
  ["a draft model of another vocabulary is refused"] = function(t)
    local session <const> = model(t):session { text = "a" }
    t.raises(function() session:generate { decoder = "speculative", draft = "demo" } end, "vocabulary")
  end,
  ["with prompt lookup the text is that of plain decoding, in fewer passes where it repeats itself"] = function(t)
    local plain <const> = model(t):session({ text = "abcabc" }):generate { max_tokens = 40, sampler = "greedy" }
    local session <const> = model(t):session { text = "abcabc" }
    local result <const> = session:generate { decoder = "prompt_lookup", temperature = 0, tokens = 8, max_tokens = 40 }
    t.equal(result.text, plain.text)
    t.equal(#result.tokens, 40)
    t.ok(result.info.accepted > 20, result.info.accepted)
    t.ok(result.info.passes < 20, result.info.passes)
  end,
  ["and so it is where it is drawn"] = function(t)
    local chain <const> = { { "min_p", p = 0.05 }, { "temperature", t = 1.5 }, { "dist" } }
    local plain <const> = model(t):session({ text = "abc", seed = 4 }):generate { max_tokens = 60, sampler = chain }
    local result <const> = model(t):session({ text = "abc", seed = 4 }):generate {
      decoder = "prompt_lookup", ngram = 1, temperature = 1.5, tokens = 4, max_tokens = 60,
    }
    t.equal(result.text, plain.text)
  end,
}
