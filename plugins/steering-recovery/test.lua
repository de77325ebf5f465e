local function model(t, p)
  local next = { [" [/INST]"] = { a = math.log(p), ["</s>"] = math.log(1 - p) }, a = { [" b"] = 0 } }
  return t.model { vocab = { "[INST] ", "q", " [/INST]", "a", " b" }, next = next, floor = -60 }
end

return {
  ["log-probabilities before, in the original, and with its state"] = function(t)
    -- The state of these models is the token itself, which is the same in both: nothing can come back.
    local record = t.probe("steering-recovery", {
      model = model(t, 0.1), original = model(t, 0.8), items = { { question = "q", answer = "a b" } },
    }).records[1]
    t.equal({ record.depths, record.tokens }, { { 0 }, 2 })
    t.near(record.before, math.log(0.1) / 2, 1e-4)
    t.near(record.original, math.log(0.8) / 2, 1e-4)
    t.near(record.patched_by_layer, { math.log(0.1) / 2 }, 1e-4)
  end,
  ["what comes back is measured between the model and its original, token by token"] = function(t)
    local summary = t.probe("steering-recovery", {
      records = {
        { depths = { 0, 7 }, patched_by_layer = { -3, -1 }, before = -4, original = -1, tokens = 1 },
        { depths = { 0, 7 }, patched_by_layer = { -2, -1.5 }, before = -2, original = -1, tokens = 3 },
      },
    }).summary
    -- Means over four tokens: before -2.5, original -1, patched -2.25 and -1.375.
    t.near(summary, {
      before = -2.5, original = -1, patched = { layer_0 = -2.25, layer_7 = -1.375 }, recovered = { layer_0 = 1 / 6, layer_7 = 0.75 },
      most = 0.75, most_at_layer = 7,
    })
  end,
}
