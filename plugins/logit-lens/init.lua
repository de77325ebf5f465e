local lacuna <const> = require "lacuna"

-- Positions that are looked at together: each brings a row of logits for every layer.
local WINDOW <const> = 8

local function measure(item, ctx)
  local model <const> = ctx.model
  local prompt <const> = ctx:render("tofu", item.question)
  local first <const> = #model:encode(prompt, { bos = true }) + 1
  local ids <const> = model:encode(prompt .. item.answer, { bos = true })
  if first > #ids then return nil, lacuna.error("invalid_argument", "the answer has no token of its own behind the question") end
  local session <close> = model:session { tokens = ids }
  local layers <const> = model.info.layers
  -- From layer 0 on: how often the token was the likeliest there, and ln p of it; means over the answer.
  local right, logprob, ever = {}, {}, 0
  for layer = 0, layers do right[layer + 1], logprob[layer + 1] = 0, 0.0 end
  for start = first, #ids, WINDOW do
    local stop <const> = math.min(start + WINDOW - 1, #ids)
    local positions = {}
    -- What a token is predicted from is the position before it.
    for i = start, stop do positions[#positions + 1] = i - 1 end
    local lens <const> = session:trace({ lens = "all", positions = positions }).lens
    for i = start, stop do
      local led = false
      for layer = 0, layers do
        local logits <const> = lens[layer][i - 1]
        logprob[layer + 1] = logprob[layer + 1] + logits[ids[i]] - logits:logsumexp()
        if logits:argmax() == ids[i] then
          right[layer + 1] = right[layer + 1] + 1
          led = true
        end
      end
      if led then ever = ever + 1 end
    end
  end
  local tokens <const> = #ids - first + 1
  for i in ipairs(right) do right[i], logprob[i] = right[i] / tokens, logprob[i] / tokens end
  return { tokens = tokens, recall_by_layer = right, logprob_by_layer = logprob, ever = ever }
end

local function summary(records)
  local tokens, ever, recall, logprob = 0, 0, {}, {}
  for _, record in ipairs(records) do
    tokens = tokens + record.tokens
    ever = ever + record.ever
    for i, share in ipairs(record.recall_by_layer) do
      recall[i] = (recall[i] or 0) + share * record.tokens
      logprob[i] = (logprob[i] or 0) + record.logprob_by_layer[i] * record.tokens
    end
  end
  local out = { recall = {}, mean_logprob = {}, tokens = tokens }
  local best, last = 1, #recall
  for i in ipairs(recall) do
    local name <const> = ("layer_%d"):format(i - 1)
    out.recall[name] = recall[i] / tokens
    out.mean_logprob[name] = logprob[i] / tokens
    if recall[i] > recall[best] then best = i end
  end
  out.best_layer = best - 1
  out.lost_behind_best = (recall[best] - recall[last]) / tokens
  out.led_somewhere = ever / tokens
  return out
end

return lacuna.plugin {
  probes = {
    logit_lens = {
      description = "recall of the answer's tokens by layer, through the logit lens",
      measure = measure,
      summary = summary,
    },
  },
}
