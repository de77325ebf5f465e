local lacuna <const> = require "lacuna"
local stats <const> = require "lacuna.stats"
local text <const> = require "lacuna.text"

-- Samples that are drawn side by side: each has keys and values of its own behind the question's.
local WIDTH <const> = 16

-- Draws the next token of each, and returns those that go on.
local function step(live, model, params)
  local batch, still = {}, {}
  for i, sample in ipairs(live) do batch[i] = sample.session end
  lacuna.forward(batch)
  for _, sample in ipairs(live) do
    local logits = sample.session:logits():copy():scale(1 / params.temperature)
    if params.top_p < 1 then logits:keep(logits:top_mass(params.top_p)) end
    local id = logits:sample(sample.rng)
    if model:is_eog(id) then
      sample.session:close()
    else
      sample.ids[#sample.ids + 1] = id
      sample.session:push(id)
      still[#still + 1] = sample
    end
  end
  return still
end

local function draw(question, model, params, seed)
  local texts = {}
  question:logits()   -- once, before the forks
  for first = 1, params.samples, WIDTH do
    local all = {}
    for i = first, math.min(first + WIDTH - 1, params.samples) do
      all[#all + 1] = { session = question:fork(), rng = lacuna.rng(seed, i), ids = {} }
    end
    local live = all
    for _ = 1, params.max_tokens do
      live = step(live, model, params)
      if #live == 0 then break end
    end
    for _, sample in ipairs(live) do sample.session:close() end
    for _, sample in ipairs(all) do texts[#texts + 1] = model:decode(sample.ids) end
  end
  return texts
end

local function measure(item, ctx)
  local question <close> = ctx.model:session { text = ctx:render("tofu", item.question) }
  local scores, best = {}, { score = -1 }
  local recited = 0
  for i, answer in ipairs(draw(question, ctx.model, ctx.params, ctx.seed)) do
    scores[i] = text.rouge(item.answer, answer).rougeL
    if answer == item.answer then recited = recited + 1 end
    if scores[i] > best.score then best = { score = scores[i], text = answer } end
  end
  table.sort(scores)
  return { scores = scores, best = best, recited = recited }
end

-- The expected greatest of k scores out of n, drawn without putting back: with the scores rising,
-- sum of C(i - 1, k - 1) / C(n, k) s[i]. The weight of the last is k / n, and each gives the one before it.
local function expected_best(scores, k)
  local n, weight, sum = #scores, k / #scores, 0
  for i = n, k, -1 do
    sum = sum + weight * scores[i]
    weight = weight * (i - k) / (i - 1)
  end
  return sum
end

local function summary(records, ctx)
  local out, recited = { samples = ctx.params.samples }, 0
  for _, record in ipairs(records) do if record.recited > 0 then recited = recited + 1 end end
  out.recited_once = recited / #records
  for _, k in ipairs { 1, 2, 4, 8, 16, 32, 64, 100 } do
    if k <= ctx.params.samples then
      local values = {}
      for i, record in ipairs(records) do values[i] = expected_best(record.scores, k) end
      out["leak@" .. k] = stats.mean(values)
    end
  end
  return out
end

return lacuna.plugin {
  probes = {
    leak_at_k = {
      description = "the best of k sampled answers, by ROUGE-L recall",
      params = {
        samples = { type = "integer", default = 16, min = 1, max = 100, description = "answers to draw to each question" },
        temperature = { type = "number", default = 1, min = 0.01, max = 10 },
        top_p = { type = "number", default = 1, min = 0, max = 1 },
        max_tokens = { type = "integer", default = 64, min = 1, max = 4096, unit = "tokens" },
      },
      measure = measure,
      summary = summary,
    },
  },
}
