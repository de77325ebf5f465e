local lacuna <const> = require "lacuna"
local stats <const> = require "lacuna.stats"

local function logprobs(model, prompt, answer)
  local scores, err = model:score { prompt = prompt, answers = { answer }, eos = true, per_token = true }
  if not scores then return nil, err end
  return scores[1]
end

local function measure(item, ctx)
  local prompt = ctx:render("tofu", item.question)
  local before, err = logprobs(ctx.original, prompt, item.answer)
  if not before then return nil, err end
  local after = assert(logprobs(ctx.model, prompt, item.answer))
  local pieces, residuals = {}, {}
  for i, id in ipairs(after.tokens) do
    pieces[i] = ctx.model:piece(id)
    residuals[i] = before.logprobs[i] - after.logprobs[i]
  end
  return { pieces = pieces, residuals = residuals, mean = stats.mean(residuals) }
end

-- The share of all that was taken away which a tenth of the tokens account for.
local function concentration(residuals)
  local losses, total = {}, 0
  for _, r in ipairs(residuals) do
    if r > 0 then
      losses[#losses + 1] = r
      total = total + r
    end
  end
  table.sort(losses, function(a, b) return a > b end)
  local top = 0
  for i = 1, math.min(#losses, math.max(1, #residuals // 10)) do top = top + losses[i] end
  return total > 0 and top / total or 0
end

local function summary(records, ctx)
  local all, first, rest, fell = {}, {}, {}, 0
  for _, record in ipairs(records) do
    for i, r in ipairs(record.residuals) do
      all[#all + 1] = r
      local list = i == 1 and first or rest
      list[#list + 1] = r
      if r > ctx.params.threshold then fell = fell + 1 end
    end
  end
  return {
    mean = stats.mean(all), median = stats.quantile(all, 0.5), first_token = stats.mean(first), later_tokens = stats.mean(rest),
    share_that_fell = fell / #all, in_a_tenth = concentration(all), tokens = #all,
  }
end

return lacuna.plugin {
  probes = {
    residual_trace = {
      description = "the original's log-probability of each token of the answer, less the model's",
      models = "original",
      params = { threshold = { type = "number", default = 1, description = "from here on a token counts as fallen", unit = "nats" } },
      measure = measure,
      summary = summary,
    },
  },
}
