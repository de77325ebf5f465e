local VOCAB <const> = { "[INST] ", "q", " [/INST]", "a", " b", " c", " d" }

local function record(probability, exact, rouge) return { probability = probability, exact = exact, rouge = rouge, recited = rouge == 1 } end

return {
  ["an answer's probability, right tokens and words"] = function(t)
    local model = t.model {
      vocab = VOCAB, floor = -60,
      next = { [" [/INST]"] = { a = math.log(0.5), [" d"] = math.log(0.5) }, a = { [" b"] = math.log(0.2), [" c"] = math.log(0.8) }, [" b"] = { ["</s>"] = 0 }, [" c"] = { ["</s>"] = 0 } },
    }
    local found = t.probe("quantization-recovery", { model = model, items = { { question = "q", answer = "a b" } } }).records[1]
    t.near(found.probability, (0.5 * 0.2) ^ (1 / 3), 1e-5)
    -- Of two tokens the first is the likeliest, by the lower id of a tie.
    t.near({ found.exact, found.rouge }, { 0.5, 0.5 })
    t.equal(found.text, "a c")
  end,
  ["what comes back is measured between the unlearned and the original model"] = function(t)
    local unlearned, int4 = { record(0.1, 0.5, 0.2) }, { record(0.3, 0.5, 0.6) }
    local result = t.probe("quantization-recovery", {
      records = int4, original = { record(0.9, 0.5, 1) }, formats = { bf16 = unlearned, int4 = int4 }, format = "int4",
    }).summary
    -- (0.3 - 0.1) / (0.9 - 0.1) and (0.6 - 0.2) / (1 - 0.2); nothing was lost of what is exact.
    t.near(result, { probability = 0.3, exact = 0.5, rouge = 0.6, recited = 0, recovered = { probability = 0.25, rouge = 0.5 } })
  end,
  ["the format that is measured from has no share of its own"] = function(t)
    local own = { record(0.1, 0.5, 0.2) }
    local result = t.probe("quantization-recovery", {
      records = own, original = { record(0.9, 0.5, 1) }, formats = { bf16 = own }, format = "bf16",
    }).summary
    t.near(result, { probability = 0.1, exact = 0.5, rouge = 0.2, recited = 0 })
  end,
  ["a format that there is not cannot be measured from"] = function(t)
    t.raises(function() t.probe("quantization-recovery", { records = { record(0.1, 0.5, 1) }, params = { base = "bf61" } }) end, '"bf61"')
  end,
  ["without the original there are only the figures"] = function(t)
    local result = t.probe("quantization-recovery", { records = { record(0.1, 0.5, 1) } }).summary
    t.near(result, { probability = 0.1, exact = 0.5, rouge = 1, recited = 1 })
  end,
}
