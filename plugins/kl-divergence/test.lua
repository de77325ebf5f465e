local VOCAB <const> = { "[INST] ", "q", " [/INST]", "a", " b", " c", " d" }

local function model(t, p)
  return t.model { vocab = VOCAB, next = { a = { [" b"] = math.log(p), [" c"] = math.log(1 - p) } }, floor = -60 }
end

return {
  ["the divergence is the original's from the model's, over every position"] = function(t)
    local result = t.probe("kl-divergence", {
      model = model(t, 0.9), original = model(t, 0.5), items = { { question = "q", answer = "a" } }, task = "retain",
    })
    -- BOS, "[INST] ", q, " [/INST]" and a: the two models differ behind a alone.
    local kl = 0.5 * math.log(0.5 / 0.9) + 0.5 * math.log(0.5 / 0.1)
    t.equal(result.records[1].positions, 5)
    t.near({ result.records[1].kl, result.records[1].greatest }, { kl / 5, kl }, 1e-5)
    t.near(result.summary.retain.mean, kl / 5, 1e-5)
  end,
  ["rows are summed up task by task"] = function(t)
    local function row(task, kl) return { task = task, kl = kl, positions = 5, greatest = 2 * kl } end
    local summary = t.probe("kl-divergence", { records = { row("forget", 1), row("forget", 6), row("retain", 0.5), row("forget", 2) } }).summary
    t.near(summary, { forget = { mean = 3, median = 2, greatest = 6 }, retain = { mean = 0.5, median = 0.5, greatest = 0.5 } })
  end,
  ["a model is no distance from itself"] = function(t)
    local one = model(t, 0.3)
    local result = t.probe("kl-divergence", { model = one, original = one, items = { { question = "q", answer = "a b" } } })
    t.equal(result.records[1].kl, 0)
  end,
}
