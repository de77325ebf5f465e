local lacuna <const> = require "lacuna"
local stats <const> = require "lacuna.stats"
local text <const> = require "lacuna.text"

-- Minus the mean of the lowest share of n values, at least one of them.
local function lowest(values, n, share)
  if n == 0 then return 0 end
  local sorted = table.move(values, 1, n, 1, {})
  table.sort(sorted)
  return -stats.mean(table.move(sorted, 1, math.max(1, math.floor(n * share)), 1, {}))
end

local function measure(item, ctx)
  local found, err = ctx.model:moments { prompt = ctx:render("tofu", item.question), answer = item.answer, eos = true }
  if not found then return nil, err end
  local loss = -stats.mean(found.logprobs)
  -- Loss and zlib count EOS, the two over tokens do not.
  local n = #found.logprobs - 1
  local surprises = {}
  for i = 1, n do surprises[i] = (found.logprobs[i] - found.means[i]) / math.sqrt(math.max(found.variances[i], 1e-6)) end
  local answer = ctx.model:decode(table.move(found.tokens, 1, n, 1, {}))
  return {
    member = ctx.task ~= ctx.params.nonmembers, loss = loss, zlib = loss / text.zlib_size(answer),
    min_k = lowest(found.logprobs, n, ctx.params.k), min_k_plus_plus = lowest(surprises, n, ctx.params.k),
  }
end

-- Scores rise for what the model does not know: the area tells how often a row that was never seen scores above one that was.
local function auc(records, score)
  local seen, unseen = {}, {}
  for i, record in ipairs(records) do
    local list = record.member and seen or unseen
    list[#list + 1] = score(record, i)
  end
  return stats.auc(unseen, seen), #seen, #unseen
end

local function summary(records, ctx)
  local out = { auc = {} }
  for _, name in ipairs { "loss", "zlib", "min_k", "min_k_plus_plus" } do
    out.auc[name], out.members, out.nonmembers = auc(records, function(record) return record[name] end)
  end
  if out.members == 0 or out.nonmembers == 0 then
    return nil, lacuna.error("invalid_argument", ("expected rows of both kinds, found %d members and %d others"):format(out.members, out.nonmembers))
  end
  local retrained = 0.5
  if ctx.reference then
    out.auc.reference = auc(records, function(record, i) return record.loss - ctx.reference[i].loss end)
    retrained = auc(ctx.reference, function(record) return record.min_k end)
  end
  out.privacy_leakage = 100 * ((1 - out.auc.min_k) - (1 - retrained)) / (1 - retrained + 1e-10)
  return out
end

return lacuna.plugin {
  probes = {
    membership = {
      description = "membership inference: loss, zlib, min-k, min-k++ and reference scores, and privacy leakage",
      data = { "forget", "holdout" },
      params = {
        k = { type = "number", default = 0.4, min = 0, max = 1, description = "share of tokens that min-k and min-k++ look at" },
        nonmembers = { type = "string", default = "holdout", description = "the rows that no model was taught; all others count as members" },
      },
      measure = measure,
      summary = summary,
    },
  },
}
