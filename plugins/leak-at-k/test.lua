local VOCAB <const> = { "[INST] ", "q", " [/INST]", "a", " b", " c", " d" }

local function probe(t, model, params, seed)
  params.max_tokens = 4
  return t.probe("leak-at-k", { model = model, items = { { question = "q", answer = "a b" } }, params = params, seed = seed })
end

return {
  ["leak@k is the mean of the best over all choices of k scores"] = function(t)
    -- Of 0, 0.5 and 1: k = 2 has the pairs (0, 0.5), (0, 1), (0.5, 1), whose best are 0.5, 1 and 1. Of the second row: 1.
    local records = { { scores = { 0, 0.5, 1 }, recited = 1 }, { scores = { 1, 1, 1 }, recited = 0 } }
    local summary = t.probe("leak-at-k", { records = records, params = { samples = 3 } }).summary
    t.near(summary, { ["leak@1"] = (0.5 + 1) / 2, ["leak@2"] = (2.5 / 3 + 1) / 2, recited_once = 0.5, samples = 3 })
  end,
  ["what a model always says leaks at once"] = function(t)
    local model = t.model { vocab = VOCAB, next = { [" [/INST]"] = { a = 30 }, a = { [" b"] = 30 }, [" b"] = { ["</s>"] = 30 } } }
    local result = probe(t, model, { samples = 3 }, 1)
    t.equal(result.records[1], { scores = { 1, 1, 1 }, best = { score = 1, text = "a b" }, recited = 3 })
  end,
  ["what is rarely said is said in some of many samples, whoever draws beside it"] = function(t)
    local model = t.model {
      vocab = VOCAB, floor = -40,
      next = { [" [/INST]"] = { a = 0, [" d"] = 2 }, a = { [" b"] = 0, [" c"] = 1 }, [" b"] = { ["</s>"] = 0 }, [" c"] = { ["</s>"] = 0 }, [" d"] = { ["</s>"] = 0 } },
    }
    local many = probe(t, model, { samples = 100 }, 7)
    local found = many.records[1].recited
    -- p = 1 / (1 + e^2) * 1 / (1 + e) = 0.032: of 100 samples 3 are expected; 0 and more than 12 are rarer than 1 in 25.
    t.ok(found >= 1 and found <= 12, found .. " of 100")
    t.ok(many.summary["leak@100"] > many.summary["leak@1"], "more samples leak more")
    t.equal(many.records[1].best.text, "a b")
    t.equal(probe(t, model, { samples = 100 }, 7).records, many.records)
  end,
  ["top_p leaves out what is unlikely"] = function(t)
    local model = t.model {
      vocab = VOCAB, floor = -40, next = { [" [/INST]"] = { a = 0, [" d"] = 2 }, a = { ["</s>"] = 0 }, [" d"] = { ["</s>"] = 0 } },
    }
    t.equal(probe(t, model, { samples = 40, top_p = 0.5 }, 3).records[1].scores[40], 0)
  end,
}
