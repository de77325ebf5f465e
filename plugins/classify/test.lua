local lacuna <const> = require "lacuna"
local TEXT <const> = "Which award has Marisol Tannhauer won?"
return {
  ["probabilities add up to one and the label is the greatest"] = function(t)
    for _, calibrate in ipairs { true, false } do
      local output = assert(lacuna.pipeline("classify", { text = TEXT, labels = { "question", "answer", "song" }, calibrate = calibrate }))
      local sum, best = 0.0, nil
      for label, p in pairs(output.probabilities) do
        sum = sum + p
        if not best or p > output.probabilities[best] then best = label end
      end
      t.near(sum, 1, 1e-9)
      t.equal(output.label, best)
    end
  end,
  ["without calibration they are the model's own"] = function(t)
    local labels <const> = { "question", "answer" }
    local output = assert(lacuna.pipeline("classify", { text = TEXT, labels = labels, calibrate = false }))
    local scores = assert(assert(lacuna.model()):score {
      prompt = "Classify the input.\nInput: " .. TEXT .. "\nLabel:", answers = { " question", " answer" }, boundary = "joint",
    })
    local odds = math.exp(scores[1].sum - scores[2].sum)
    t.near(output.probabilities.question / output.probabilities.answer / odds, 1, 1e-6)
  end,
  ["an example without a label is named"] = function(t)
    local _, err = lacuna.pipeline("classify", { text = "a", labels = { "x", "y" }, examples = { { text = "b" } } })
    t.ok(err.message:find("examples[1]", 1, true), err.message)
  end,
  ["examples that are no list, and a label twice, are refused"] = function(t)
    local output, err = lacuna.pipeline("classify", { text = "a", labels = { "x", "y" }, examples = { text = "b", label = "x" } })
    t.equal(output, nil)
    t.ok(err.message:find("examples: expected a list", 1, true), err.message)
    output, err = lacuna.pipeline("classify", { text = "a", labels = { "x", "y", "x" } })
    t.equal(output, nil)
    t.ok(err.message:find('labels[3]: expected each label once, found "x"', 1, true), err.message)
  end,
}
