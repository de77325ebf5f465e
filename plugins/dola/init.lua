local lacuna <const> = require "lacuna"

-- The candidates for the premature layer: every second one of the lower or the upper half (Chuang et al. 2024, section
-- 2.2 and appendix F). Layer 0 is the embedding's output; where the head is the embedding's matrix, its early exit says
-- the token itself again, which is nothing to contrast with.
local function candidates(model, p)
  local count <const> = model.info.layers
  if p.layers then
    if #p.layers == 0 then error "layers: expected one or more, found none" end
    for _, layer in ipairs(p.layers) do
      if layer < 0 or layer >= count then
        error(("layers: expected 0 to %d, before the last one, found %d"):format(count - 1, layer))
      end
    end
    return p.layers
  end
  local half <const> = count // 2
  local layers = {}
  local first <const>, last <const> = table.unpack(p.bucket == "low"
    and { model.info.tied_embeddings and 2 or 0, half - 1 } or { half + half % 2, count - 1 })
  for layer = first, last, 2 do layers[#layers + 1] = layer end
  return #layers > 0 and layers or { half }
end

-- The layer whose early exit differs most from the end (equation 4), and what it says.
local function premature(session, layers, mature)
  local best, most, logits = layers[1], -1, nil
  for _, layer in ipairs(layers) do
    local early <const> = session:lens(layer)
    local divergence <const> = mature:jsd(early)
    if divergence > most then best, most, logits = layer, divergence, early end
  end
  return best, logits
end

local function run(session, p)
  local layers <const> = candidates(session.model, p)
  local room <const> = session.model.info.context - #session
  local finish, chosen = "length", {}
  local seen = {}
  for _, id in ipairs(session:tokens()) do seen[id] = true end
  for _, layer in ipairs(layers) do session:lens(layer) end        -- from here on each pass brings them along
  for _ = 1, math.min(p.max_tokens, room) do
    local mature <const> = session:logits()
    local layer <const>, early <const> = premature(session, layers, mature)
    chosen[#chosen + 1] = layer
    -- log q_N - log q_M, among what the end itself finds plausible (equations 5 and 6).
    local scores = mature:log_softmax():axpy(-1, early:log_softmax())
    scores:mask(mature:below(mature:max() + math.log(p.alpha)))
    for id in pairs(seen) do
      local x <const> = scores[id]
      if x > -math.huge then scores[id] = x > 0 and x / p.repetition or x * p.repetition end
    end
    local id <const> = scores:argmax()
    if session.model:is_eog(id) then finish = "eos" break end
    session:push(id)
    seen[id] = true
  end
  return session, { finish = finish, layers = chosen }
end

return lacuna.plugin {
  decoders = {
    dola = {
      description = "prefers what the last layers add to what an earlier one would say",
      params = {
        bucket = { enum = { "low", "high" }, default = "high",
          description = "half of the layers that the earlier one comes from: low for reasoning, high for short facts" },
        layers = { type = "list", of = "integer", optional = true, description = "these layers, in place of a bucket" },
        alpha = { type = "number", default = 0.1, min = 1e-9, max = 1, description = "share of the best probability that is plausible" },
        repetition = { type = "number", default = 1.2, min = 1, max = 10, description = "penalty for tokens that are there already" },
        max_tokens = { type = "integer", default = 64, min = 1, unit = "tokens" },
      },
      run = run,
    },
  },
}
