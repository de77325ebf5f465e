local lacuna <const> = require "lacuna"
local stats <const> = require "lacuna.stats"
local text <const> = require "lacuna.text"
local phrases <const> = require "phrases"

local function words(said)
  local list = {}
  for word in said:lower():gmatch("[%w\128-\255]+") do list[#list + 1] = word end
  return list
end

-- 1 - distinct / all of the runs of n words: how much is repeated.
local function repetition(list, n)
  local seen, distinct, all = {}, 0, 0
  for i = 1, #list - n + 1 do
    local run = table.concat(list, " ", i, i + n - 1)
    all = all + 1
    if not seen[run] then
      seen[run] = true
      distinct = distinct + 1
    end
  end
  return all > 0 and 1 - distinct / all or 0
end

local function is_refusal(said)
  local plain = " " .. table.concat(words((said:gsub("'", ""):gsub("\u{2019}", ""))), " ") .. " "
  for _, phrase in ipairs(phrases) do
    if plain:find(" " .. phrase .. " ", 1, true) then return true end
  end
  return false
end

local function is_gibberish(list, repeated)
  if #list == 0 then return true end
  local single = 0
  for _, word in ipairs(list) do if #word == 1 then single = single + 1 end end
  return repeated > 0.5 or (#list >= 4 and single / #list > 0.5)
end

local function measure(item, ctx)
  local session <close> = ctx.model:session { text = ctx:render("tofu", item.question) }
  local result = session:generate { sampler = "greedy", max_tokens = ctx.params.max_tokens }
  local list = words(result.text)
  local repeated = repetition(list, 2)
  local kind = result.text == item.answer and "recited"
    or is_refusal(result.text) and "refusal"
    or is_gibberish(list, repeated) and "gibberish"
    or "other"
  return {
    text = result.text, kind = kind, words = #list, repeated = repeated, rouge = text.rouge(item.answer, result.text).rougeL,
    unfinished = result.finish == "length",
  }
end

local function summary(records)
  local counts, out, unfinished = {}, {}, 0
  local repeated = {}
  for i, record in ipairs(records) do
    counts[record.kind] = (counts[record.kind] or 0) + 1
    repeated[i] = record.repeated
    if record.unfinished then unfinished = unfinished + 1 end
  end
  for _, kind in ipairs { "recited", "refusal", "gibberish", "other" } do out[kind] = (counts[kind] or 0) / #records end
  out.unfinished = unfinished / #records
  out.repeated = stats.mean(repeated)
  return out
end

return lacuna.plugin {
  probes = {
    answer_kinds = {
      description = "shares of answers that are recited, refused, gibberish, or anything else",
      params = { max_tokens = { type = "integer", default = 64, min = 1, max = 4096, unit = "tokens" } },
      measure = measure,
      summary = summary,
    },
  },
}
