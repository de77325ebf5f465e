local lacuna <const> = require "lacuna"

-- Makes it of unit length, so that a dot product is a cosine.
local function normalise(state)
  local norm <const> = state:norm()
  return norm > 0 and state:scale(1 / norm) or state
end

local function run(session, p)
  local model <const>, layer <const> = session.model, session.model.info.layers
  local past <const> = session:trace({ hidden = { layer } }).hidden[layer]
  for _, state in ipairs(past) do normalise(state) end
  session:hidden(layer)                                -- from here on each pass brings it along, in forks as well
  local room <const> = model.info.context - #session
  local live, finish = session, "length"
  for _ = 1, math.min(p.max_tokens, room) do
    local ids <const> = live:logits():topk(p.k)
    local probabilities <const> = live:logits():softmax()
    -- One pass for all candidates: the weights are read once.
    local forks = {}
    for i, id in ipairs(ids) do forks[i] = live:fork():push(id) end
    lacuna.forward(forks)
    local best, most, state = nil, -math.huge, nil
    for i, id in ipairs(ids) do
      local own <const> = normalise(forks[i]:hidden(layer):copy())
      local similarity = -1
      for _, other in ipairs(past) do similarity = math.max(similarity, own:dot(other)) end
      -- (1 - alpha) p(v | x) - alpha max cos(h_v, h_j), Su et al. 2022, equation 5.
      local score <const> = (1 - p.alpha) * probabilities[id] - p.alpha * similarity
      if score > most then best, most, state = i, score, own end
    end
    local ends <const> = model:is_eog(ids[best])
    for i, fork in ipairs(forks) do
      if i ~= best or ends then fork:close() end
    end
    if ends then finish = "eos" break end
    if live ~= session then live:close() end
    live = forks[best]
    past[#past + 1] = state
  end
  return live, { finish = finish }
end

return lacuna.plugin {
  decoders = {
    contrastive_search = {
      description = "the most probable of k tokens, less how similar its hidden state is to one that was there",
      params = {
        k = { type = "integer", default = 5, min = 1, max = 64, unit = "candidates" },
        alpha = { type = "number", default = 0.6, min = 0, max = 1, description = "weight of the degeneration penalty" },
        max_tokens = { type = "integer", default = 64, min = 1, unit = "tokens" },
      },
      run = run,
    },
  },
}
