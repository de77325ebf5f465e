local lacuna <const> = require "lacuna"
local stats <const> = require "lacuna.stats"

local function measure(item, ctx)
  local scores, err = ctx.model:score {
    prompt = ctx:render("tofu", item.question), answers = { item.answer }, per_token = true,
  }
  if not scores then return nil, err end
  local right = 0
  for _, hit in ipairs(scores[1].hits) do right = right + (hit and 1 or 0) end
  return { right = right, tokens = scores[1].n }
end

local function summary(records)
  local shares = {}
  for _, record in ipairs(records) do
    -- An answer whose only token is merged with the prompt has nothing to be right about.
    if record.tokens > 0 then shares[#shares + 1] = record.right / record.tokens end
  end
  return { exact_memorization = stats.mean(shares), median = stats.quantile(shares, 0.5), answers = #shares }
end

return lacuna.plugin {
  probes = {
    exact_memorization = {
      description = "the share of an answer's tokens that are the model's likeliest, each given those before it",
      measure = measure,
      summary = summary,
    },
  },
}
