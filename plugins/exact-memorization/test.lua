local VOCAB <const> = { "[INST] ", "q", " [/INST]", "a", "b", "c", "d" }

return {
  ["right tokens are counted, each given the true ones before it"] = function(t)
    -- After the question c is likelier than a; after a and b the right ones are; after c it is a.
    local model = t.model { vocab = VOCAB, next = { [" [/INST]"] = { c = 5 }, a = { b = 5 }, b = { c = 5 }, c = { a = 5 } } }
    local result = t.probe("exact-memorization", { model = model, items = { { question = "q", answer = "abcd" } } })
    t.equal(result.records[1], { right = 2, tokens = 4 })
    t.near(result.summary, { exact_memorization = 0.5, median = 0.5, answers = 1 })
  end,
  ["an answer without scored tokens is left out of the mean"] = function(t)
    local summary = t.probe("exact-memorization", { records = { { right = 3, tokens = 4 }, { right = 0, tokens = 0 } } }).summary
    t.near(summary, { exact_memorization = 0.75, median = 0.75, answers = 1 })
  end,
}
