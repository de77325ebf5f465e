local function model(t)
  return t.model {
    vocab = { "a", " rich", " tapestry", " plain", "." },
    next = {
      a = { [" rich"] = 3, [" plain"] = 1 },
      [" rich"] = { [" tapestry"] = 5 },
      [" tapestry"] = { ["</s>"] = 5 },
      [" plain"] = { ["</s>"] = 5 },
    },
  }
end
return {
  ["goes back to the phrase's first token and takes another"] = function(t)
    local session = model(t):session { text = "a" }
    local result = session:generate { decoder = "phrase_ban", phrases = { "Rich tapestry" }, temperature = 0 }
    t.equal(result.text, " plain")
    t.equal(result.info.rewinds, 1)
    t.equal(session:text(), "a plain")
  end,
  ["a phrase's beginning alone is no reason"] = function(t)
    local result = model(t):session({ text = "a" }):generate { decoder = "phrase_ban", phrases = { "rich carpet" }, temperature = 0 }
    t.equal(result.text, " rich tapestry")
    t.equal(result.info.rewinds, 0)
  end,
  ["an empty phrase is refused"] = function(t)
    t.raises(function() model(t):session({ text = "a" }):generate { decoder = "phrase_ban", phrases = { "rich", "" } } end, "phrases[2]")
  end,
  ["gives in after so many tries"] = function(t)
    local result = model(t):session({ text = "a" }):generate { decoder = "phrase_ban", phrases = "rich tapestry", tries = 0, temperature = 0 }
    t.equal(result.text, " rich tapestry")
  end,
}
