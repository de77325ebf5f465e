local lacuna <const> = require "lacuna"

-- "Input: ...\nLabel: ..." for each example, and the question left open.
local function prompt(input, text)
  local lines = { input.instruction }
  for _, example in ipairs(input.examples) do
    lines[#lines + 1] = ("Input: %s\nLabel: %s\n"):format(example.text, example.label)
  end
  lines[#lines + 1] = ("Input: %s\nLabel:"):format(text)
  return table.concat(lines, "\n")
end

-- The labels' probabilities after a prompt, to a sum of 1.
local function probabilities(model, text, labels)
  local answers = {}
  for i, label in ipairs(labels) do answers[i] = " " .. label end
  local scores, err = model:score { prompt = text, answers = answers, boundary = "joint" }
  if not scores then return nil, err end
  local best, total, probs = -math.huge, 0.0, {}
  for _, score in ipairs(scores) do best = math.max(best, score.sum) end
  for i, score in ipairs(scores) do
    probs[i] = math.exp(score.sum - best)
    total = total + probs[i]
  end
  for i in ipairs(probs) do probs[i] = probs[i] / total end
  return probs
end

local function run(input, ctx)
  if #input.labels < 2 then return nil, lacuna.error("invalid_argument", "expected two labels or more") end
  local known = {}
  for i, label in ipairs(input.labels) do
    if known[label] then
      return nil, lacuna.error("invalid_argument", ("labels[%d]: expected each label once, found %q again"):format(i, label))
    end
    known[label] = true
  end
  for key in pairs(input.examples) do
    if math.type(key) ~= "integer" then
      return nil, lacuna.error("invalid_argument", ("examples: expected a list of { text = , label = }, found the name %q"):format(key))
    end
  end
  for i, example in ipairs(input.examples) do
    if type(example) ~= "table" or type(example.text) ~= "string" or type(example.label) ~= "string" then
      return nil, lacuna.error("invalid_argument", ("examples[%d]: expected { text = , label = }"):format(i))
    end
  end
  local probs, err = probabilities(ctx.model, prompt(input, input.text), input.labels)
  if not probs then return nil, err end
  if input.calibrate then
    -- Contextual calibration (Zhao et al. 2021, section 4): divide by what says nothing says.
    local total, bias = 0.0, {}
    for i in ipairs(input.labels) do bias[i] = 0.0 end
    for _, nothing in ipairs { "N/A", "[MASK]", "" } do
      for i, p in ipairs(assert(probabilities(ctx.model, prompt(input, nothing), input.labels))) do bias[i] = bias[i] + p end
    end
    for i, p in ipairs(probs) do
      probs[i] = p / math.max(bias[i], 1e-12)
      total = total + probs[i]
    end
    for i in ipairs(probs) do probs[i] = probs[i] / total end
  end
  local winner, named = 1, {}
  for i, label in ipairs(input.labels) do
    named[label] = probs[i]
    if probs[i] > probs[winner] then winner = i end
  end
  return { label = input.labels[winner], probabilities = named }
end

return lacuna.plugin {
  pipelines = {
    classify = {
      description = "which label fits a text, by the labels' calibrated probabilities after some examples",
      input = {
        text = { type = "string", description = "what to classify" },
        labels = { type = "list", of = "string", description = "what it may be" },
        examples = { type = "table", default = {}, description = "a list of { text = , label = }" },
        instruction = { type = "string", default = "Classify the input.", description = "what stands in front" },
        calibrate = { type = "boolean", default = true, description = "whether the labels' own bias is divided out" },
      },
      output = { label = { type = "string" }, probabilities = { type = "table" } },
      run = run,
    },
  },
}
