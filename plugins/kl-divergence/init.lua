local lacuna <const> = require "lacuna"
local stats <const> = require "lacuna.stats"

local function measure(item, ctx)
  local found, err = ctx.model:kl(ctx.original, { prompt = ctx:render("tofu", item.question), answer = item.answer })
  if not found then return nil, err end
  return { task = ctx.task, kl = found.mean, positions = #found.values, greatest = math.max(table.unpack(found.values)) }
end

local function summary(records)
  local lists, out = {}, {}
  for _, record in ipairs(records) do
    lists[record.task] = lists[record.task] or {}
    table.insert(lists[record.task], record.kl)
  end
  for task, values in pairs(lists) do
    out[task] = { mean = stats.mean(values), median = stats.quantile(values, 0.5), greatest = math.max(table.unpack(values)) }
  end
  return out
end

return lacuna.plugin {
  probes = {
    kl_divergence = {
      description = "KL(original || model) over the real positions of questions and answers",
      data = { "forget", "retain" },
      models = "original",
      measure = measure,
      summary = summary,
    },
  },
}
