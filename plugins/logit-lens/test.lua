return {
  ["every layer is asked for each token of the answer"] = function(t)
    -- A model of one block that adds nothing: its embedding says what its last layer says. After a comes b, after b comes a.
    local model = t.model {
      vocab = { "[INST] ", "q", " [/INST]", "a", " b" }, next = { [" [/INST]"] = { a = 5 }, a = { [" b"] = 5 }, [" b"] = { a = 5 } },
    }
    local result = t.probe("logit-lens", { model = model, items = { { question = "q", answer = "a b b" }, { question = "q", answer = "a" } } })
    t.equal(result.records[1].tokens, 3)
    t.near(result.records[1].recall_by_layer, { 2 / 3, 2 / 3 })
    t.near(result.records[2].recall_by_layer, { 1, 1 })
    t.near(result.summary.recall, { layer_0 = 0.75, layer_1 = 0.75 })
    t.equal(result.summary.lost_behind_best, 0)
  end,
  ["log-probabilities are those of the answer's tokens"] = function(t)
    local model = t.model { vocab = { " [/INST]", "a" }, next = { [" [/INST]"] = { a = math.log(0.25), ["</s>"] = math.log(0.75) } }, floor = -60 }
    local record = t.probe("logit-lens", { model = model, items = { { question = "q", answer = "a" } } }).records[1]
    t.near(record.logprob_by_layer, { math.log(0.25), math.log(0.25) }, 1e-4)
  end,
  ["the summary finds the layer that knows most, and what is lost behind it"] = function(t)
    local records = {
      { tokens = 4, recall_by_layer = { 0, 3 / 4, 1 / 4 }, logprob_by_layer = { -2, -0.5, -1 }, ever = 4 },
      { tokens = 6, recall_by_layer = { 1 / 6, 4 / 6, 1 / 6 }, logprob_by_layer = { -2, -0.5, -1 }, ever = 5 },
    }
    t.near(t.probe("logit-lens", { records = records }).summary, {
      recall = { layer_0 = 0.1, layer_1 = 0.7, layer_2 = 0.2 }, mean_logprob = { layer_0 = -2, layer_1 = -0.5, layer_2 = -1 },
      best_layer = 1, lost_behind_best = 0.5, led_somewhere = 0.9, tokens = 10,
    })
  end,
}
