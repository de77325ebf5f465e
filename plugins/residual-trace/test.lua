local VOCAB <const> = { "[INST] ", "q", " [/INST]", "a", " b", " c", " d" }

local function model(t, p)
  local next = {}
  for piece, likelihoods in pairs(p) do
    next[piece] = {}
    for token, q in pairs(likelihoods) do next[piece][token] = math.log(q) end
  end
  return t.model { vocab = VOCAB, next = next, floor = -60 }
end

return {
  ["residuals are the original's logarithms less the model's, EOS included"] = function(t)
    local original = model(t, { [" [/INST]"] = { a = 0.8, [" d"] = 0.2 }, a = { [" b"] = 0.5, [" c"] = 0.5 }, [" b"] = { ["</s>"] = 1 } })
    local unlearned = model(t, { [" [/INST]"] = { a = 0.1, [" d"] = 0.9 }, a = { [" b"] = 0.5, [" c"] = 0.5 }, [" b"] = { ["</s>"] = 0.5, a = 0.5 } })
    local record = t.probe("residual-trace", {
      model = unlearned, original = original, items = { { question = "q", answer = "a b" } },
    }).records[1]
    t.equal(record.pieces, { "a", " b", "</s>" })
    t.near(record.residuals, { math.log(8), 0, math.log(2) }, 1e-5)
    t.near(record.mean, math.log(16) / 3, 1e-5)
  end,
  ["the summary says where it fell"] = function(t)
    local summary = t.probe("residual-trace", { records = { { residuals = { 6, 0, 0 } }, { residuals = { 2, -1, 5 } } } }).summary
    t.near(summary, {
      mean = 2, median = 1, first_token = 4, later_tokens = 1, share_that_fell = 0.5, in_a_tenth = 6 / 13, tokens = 6,
    })
  end,
}
