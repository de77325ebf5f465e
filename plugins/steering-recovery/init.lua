local lacuna <const> = require "lacuna"

-- Layers that are tried: evenly spread, and never the last, behind which nothing could read the state.
local function layers_of(model, count)
  local deepest <const> = model.info.layers - 1
  local layers, seen = {}, {}
  for i = 0, count - 1 do
    local layer <const> = count == 1 and deepest // 2 or math.floor(i * deepest / (count - 1) + 0.5)
    if not seen[layer] then layers[#layers + 1] = layer end
    seen[layer] = true
  end
  return layers
end

-- The mean ln p of the answer's tokens, from `first` on, all in one pass.
local function mean_logprob(model, ids, first, patches)
  local session <close> = model:session { tokens = ids, patches = patches }
  local last <const> = model.info.layers
  local positions, sum = {}, 0.0
  for i = first, #ids do positions[#positions + 1] = i - 1 end
  local lens <const> = session:trace({ lens = { last }, positions = positions }).lens[last]
  for i = first, #ids do
    local logits <const> = lens[i - 1]
    sum = sum + logits[ids[i]] - logits:logsumexp()
  end
  return sum / #positions
end

local function measure(item, ctx)
  local prompt <const> = ctx:render("tofu", item.question)
  local first <const> = #ctx.model:encode(prompt, { bos = true }) + 1
  local ids <const> = ctx.model:encode(prompt .. item.answer, { bos = true })
  if first > #ids then return nil, lacuna.error("invalid_argument", "the answer has no token of its own behind the question") end
  local layers <const> = layers_of(ctx.model, ctx.params.layers)
  local asked <const> = first - 1
  local states <const> = ctx.original:trace(table.move(ids, 1, asked, 1, {}), { hidden = layers, positions = { asked } }).hidden
  local patched = {}
  for i, layer in ipairs(layers) do
    local patch <close> = ctx.model:patch { layer = layer, replace = states[layer][asked], positions = { asked } }
    patched[i] = mean_logprob(ctx.model, ids, first, { patch })
  end
  return {
    depths = layers, patched_by_layer = patched, before = mean_logprob(ctx.model, ids, first), original = mean_logprob(ctx.original, ids, first),
    tokens = #ids - asked,
  }
end

local function mean(records, pick)
  local sum, tokens = 0.0, 0
  for _, record in ipairs(records) do
    sum = sum + pick(record) * record.tokens
    tokens = tokens + record.tokens
  end
  return sum / tokens
end

local function summary(records)
  local before <const> = mean(records, function(record) return record.before end)
  local original <const> = mean(records, function(record) return record.original end)
  local out = { before = before, original = original, patched = {}, recovered = {} }
  for i, layer in ipairs(records[1].depths) do
    local name <const> = ("layer_%d"):format(layer)
    local patched <const> = mean(records, function(record) return record.patched_by_layer[i] end)
    out.patched[name] = patched
    -- Where nothing was lost there is nothing to come back.
    if original > before then
      out.recovered[name] = (patched - before) / (original - before)
      if not out.most or out.recovered[name] > out.most then out.most, out.most_at_layer = out.recovered[name], layer end
    end
  end
  return out
end

return lacuna.plugin {
  probes = {
    steering_recovery = {
      description = "how much of an answer comes back when one inner state is the original's",
      models = "original",
      params = { layers = { type = "integer", default = 8, min = 1, max = 256, description = "how many layers to try, evenly spread" } },
      measure = measure,
      summary = summary,
    },
  },
}
