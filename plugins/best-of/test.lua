local function model(t)
  return t.model {
    vocab = { "a", "b", "." },
    next = { ["."] = { a = 1.0, b = 0 }, a = { ["</s>"] = 9 }, b = { ["</s>"] = 9 } },
  }
end
return {
  ["the best of many tries is the most probable one"] = function(t)
    local result = model(t):session({ text = "." }):generate { decoder = "best_of_n", n = 8, min_p = 0 }
    t.equal(result.text, "a")
    t.equal(#result.info.scores, 8)
    for _, score in ipairs(result.info.scores) do t.ok(score <= result.info.score) end
  end,
  ["tries are drawn apart"] = function(t)
    local result = model(t):session({ text = "." }):generate { decoder = "best_of_n", n = 16, min_p = 0, temperature = 2 }
    local seen = {}
    for _, score in ipairs(result.info.scores) do seen[("%.3f"):format(score)] = true end
    t.ok(next(seen, next(seen)), "all 16 tries are the same")
  end,
  ["the answer that most tries give wins"] = function(t)
    local result = model(t):session({ text = "." }):generate { decoder = "self_consistency", n = 15, min_p = 0 }
    t.equal(result.info.answer, "a")
    t.ok(result.info.votes > 7)
  end,
  ["a pattern that nothing matches is an error that says so"] = function(t)
    t.raises(function() model(t):session({ text = "." }):generate { decoder = "self_consistency", pattern = "%d" } end, "no try matched")
  end,
}
