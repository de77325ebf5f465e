local lacuna <const> = require "lacuna"
local stats <const> = require "lacuna.stats"
local text <const> = require "lacuna.text"

local FIGURES <const> = { "probability", "exact", "rouge" }
-- All that weights can be run in.
local FORMATS <const> = { "stored", "bf16", "fp8", "fp8-tensor", "e5m2", "int8", "int4" }

local function measure(item, ctx)
  local prompt = ctx:render("tofu", item.question)
  local scores, err = ctx.model:score { prompt = prompt, answers = { item.answer }, eos = true, per_token = true }
  if not scores then return nil, err end
  -- The last one is EOS.
  local right, n = 0, #scores[1].hits - 1
  for i = 1, n do right = right + (scores[1].hits[i] and 1 or 0) end
  local session <close> = ctx.model:session { text = prompt }
  local said = session:generate({ sampler = "greedy", max_tokens = ctx.params.max_tokens }).text
  return {
    probability = math.exp(scores[1].mean), exact = n > 0 and right / n or 0, rouge = text.rouge(item.answer, said).rougeL,
    recited = said == item.answer, text = said,
  }
end

local function means(records)
  local out, recited = {}, 0
  for _, name in ipairs(FIGURES) do
    local values = {}
    for i, record in ipairs(records) do values[i] = record[name] end
    out[name] = stats.mean(values)
  end
  for _, record in ipairs(records) do if record.recited then recited = recited + 1 end end
  out.recited = recited / #records
  return out
end

local function summary(records, ctx)
  local out = means(records)
  local base = ctx.formats and ctx.formats[ctx.params.base]
  -- From itself nothing comes back.
  if not base or not ctx.original or ctx.format == ctx.params.base then return out end
  local before, lost = means(base), means(ctx.original)
  out.recovered = {}
  for _, name in ipairs(FIGURES) do
    -- Where nothing was lost there is nothing to come back.
    if lost[name] > before[name] then out.recovered[name] = (out[name] - before[name]) / (lost[name] - before[name]) end
  end
  return out
end

return lacuna.plugin {
  probes = {
    quantization_recovery = {
      description = "how much of what was forgotten comes back when weights are rounded",
      formats = table.move(FORMATS, 2, #FORMATS, 1, {}),
      params = {
        base = { type = "string", default = "bf16", enum = FORMATS, description = "the format that what comes back is measured from" },
        max_tokens = { type = "integer", default = 64, min = 1, max = 4096, unit = "tokens" },
      },
      measure = measure,
      summary = summary,
    },
  },
}
