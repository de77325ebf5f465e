local lacuna <const> = require "lacuna"
local stats <const> = require "lacuna.stats"

-- 1 - k / n, with k the least start from which every token of the answer is the model's likeliest. Where not even the last
-- token is, k is n - 1: the least strength is 1 / n.
local function strength(hits)
  local n = #hits
  if n == 0 then return 0 end
  local k = n
  while k > 0 and hits[k] do k = k - 1 end
  return 1 - math.min(k, n - 1) / n
end

local function measure(item, ctx)
  local scores, err = ctx.model:score {
    prompt = ctx:render("tofu", item.question), answers = { item.answer }, per_token = true,
  }
  if not scores then return nil, err end
  return { strength = strength(scores[1].hits), tokens = scores[1].n }
end

local function summary(records)
  local strengths, whole = {}, 0
  for i, record in ipairs(records) do
    strengths[i] = record.strength
    if record.strength == 1 then whole = whole + 1 end
  end
  return {
    extraction_strength = stats.mean(strengths), median = stats.quantile(strengths, 0.5),
    extracted_from_nothing = whole / #records,
  }
end

return lacuna.plugin {
  probes = {
    extraction_strength = {
      description = "the share of an answer that a model completes when it is given the rest",
      measure = measure,
      summary = summary,
    },
  },
}
