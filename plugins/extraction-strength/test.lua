local VOCAB <const> = { "[INST] ", "q", " [/INST]", "a", "b", "c", "d" }

-- What follows each token, the likeliest first.
local function model(t, follows)
  local next = {}
  for piece, likeliest in pairs(follows) do next[piece] = { [likeliest] = 5 } end
  return t.model { vocab = VOCAB, next = next }
end

local function strength(t, follows, answer)
  local result = t.probe("extraction-strength", { model = model(t, follows), items = { { question = "q", answer = answer } } })
  return result.records[1].strength, result
end

return {
  ["an answer that is given word for word has strength 1"] = function(t)
    local found, result = strength(t, { [" [/INST]"] = "a", a = "b", b = "c", c = "d" }, "abcd")
    t.equal(found, 1)
    t.equal(result.summary.extracted_from_nothing, 1)
  end,
  ["what must be given is counted to the last token that is wrong"] = function(t)
    -- a is not what follows the question, b and c and d are what follows a, b, c: k = 1 of 4.
    t.equal(strength(t, { [" [/INST]"] = "d", a = "b", b = "c", c = "d" }, "abcd"), 0.75)
    -- c after b is wrong, whatever came right before it: k = 3 of 4.
    t.equal(strength(t, { [" [/INST]"] = "a", a = "b", b = "a", c = "d" }, "abcd"), 0.25)
  end,
  ["where the last token is wrong the strength is 1 / n, not 0"] = function(t)
    t.equal(strength(t, { [" [/INST]"] = "a", a = "b", b = "c", c = "a" }, "abcd"), 0.25)
  end,
  ["the summary is the mean over answers"] = function(t)
    local summary = t.probe("extraction-strength", { records = { { strength = 1 }, { strength = 0.25 }, { strength = 0.25 } } }).summary
    t.near(summary, { extraction_strength = 0.5, median = 0.25, extracted_from_nothing = 1 / 3 })
  end,
}
