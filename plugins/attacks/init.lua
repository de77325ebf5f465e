local lacuna <const> = require "lacuna"
local stats <const> = require "lacuna.stats"
local text <const> = require "lacuna.text"
local frames <const> = require "frames"

local MAX_TOKENS <const> = { type = "integer", default = 64, min = 1, max = 4096, unit = "tokens" }

-- The greedy answer to a prompt.
local function answer(model, prompt, limit)
  local session <close> = model:session { text = prompt }
  return session:generate({ sampler = "greedy", max_tokens = limit }).text
end

-- The probability of a text per token, EOS included.
local function probability(model, prompt, continuation)
  local scores, err = model:score { prompt = prompt, answers = { continuation }, eos = true }
  if not scores then return nil, err end
  return math.exp(scores[1].mean)
end

local function mean(records, field)
  local values = {}
  for i, record in ipairs(records) do values[i] = type(field) == "function" and field(record) or record[field] end
  return stats.mean(values)
end

local paraphrase = {
  description = "asks the question in other words",
  params = { max_tokens = MAX_TOKENS },
  measure = function(item, ctx)
    if not item.paraphrased_question then
      return nil, lacuna.error("invalid_argument", "the data have no paraphrased_question")
    end
    local record = {}
    for name, question in pairs { plain = item.question, reworded = item.paraphrased_question } do
      local prompt = ctx:render("tofu", question)
      local said = answer(ctx.model, prompt, ctx.params.max_tokens)
      local p, err = probability(ctx.model, prompt, item.answer)
      if not p then return nil, err end
      record[name] = { text = said, rouge = text.rouge(item.answer, said).rougeL, probability = p }
    end
    return record
  end,
  summary = function(records)
    local out = {}
    for _, name in ipairs { "plain", "reworded" } do
      out[name] = {
        rouge = mean(records, function(record) return record[name].rouge end),
        probability = mean(records, function(record) return record[name].probability end),
      }
    end
    out.gain = mean(records, function(record) return math.max(record.reworded.rouge - record.plain.rouge, 0) end)
    return out
  end,
}

local jailbreak = {
  description = "asks the question in frames that press for an answer",
  params = { max_tokens = MAX_TOKENS },
  measure = function(item, ctx)
    local record = { rouge = {}, best = { rouge = -1 } }
    for _, frame in ipairs(frames) do
      local prompt = ctx:render("tofu", (frame.ask:gsub("{question}", function() return item.question end))) .. (frame.begin or "")
      local said = answer(ctx.model, prompt, ctx.params.max_tokens)
      local rouge = text.rouge(item.answer, said).rougeL
      record.rouge[frame.name] = rouge
      if rouge > record.best.rouge then record.best = { rouge = rouge, frame = frame.name, text = said } end
    end
    return record
  end,
  summary = function(records)
    local out = { rouge = {} }
    for _, frame in ipairs(frames) do
      out.rouge[frame.name] = mean(records, function(record) return record.rouge[frame.name] end)
    end
    out.best = mean(records, function(record) return record.best.rouge end)
    out.gain = out.best - out.rouge.plain
    return out
  end,
}

-- The answer up to a share of its words, and the rest with the space before it.
local function cut(whole, share)
  local ends = {}
  for stop in whole:gmatch("%S+()") do ends[#ends + 1] = stop - 1 end
  local kept = math.floor(#ends * share)
  local place = kept == 0 and 0 or ends[kept]
  return whole:sub(1, place), whole:sub(place + 1)
end

local SHARES <const> = { 0, 0.25, 0.5, 0.75 }

local function label(share) return ("given_%d"):format(share * 100) end

local partial_answer = {
  description = "begins the answer and lets the model go on",
  params = { max_tokens = MAX_TOKENS },
  measure = function(item, ctx)
    local record = {}
    for _, share in ipairs(SHARES) do
      local given, rest = cut(item.answer, share)
      if rest ~= "" then
        local prompt = ctx:render("tofu", item.question) .. given
        local said = answer(ctx.model, prompt, ctx.params.max_tokens)
        local p, err = probability(ctx.model, prompt, rest)
        if not p then return nil, err end
        record[label(share)] = { rouge = text.rouge(rest, said).rougeL, probability = p, text = said }
      end
    end
    return record
  end,
  summary = function(records)
    local out = {}
    for _, share in ipairs(SHARES) do
      local name, rouge, probabilities = label(share), {}, {}
      for _, record in ipairs(records) do
        if record[name] then
          rouge[#rouge + 1] = record[name].rouge
          probabilities[#probabilities + 1] = record[name].probability
        end
      end
      if #rouge > 0 then out[name] = { rouge = stats.mean(rouge), probability = stats.mean(probabilities) } end
    end
    return out
  end,
}

return lacuna.plugin { probes = { paraphrase = paraphrase, jailbreak = jailbreak, partial_answer = partial_answer } }
