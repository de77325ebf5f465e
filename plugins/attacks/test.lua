local FIVE <const> = "one two three four five"

return {
  ["a question in other words is asked beside the plain one"] = function(t)
    -- The model knows the answer to r and not to q.
    local model = t.model {
      vocab = { "[INST] ", "q", "r", " [/INST]", "yes", "no", "q [/INST]", "r [/INST]" },
      next = { ["q [/INST]"] = { no = 9 }, ["r [/INST]"] = { yes = 9 }, yes = { ["</s>"] = 9 }, no = { ["</s>"] = 9 } },
    }
    local items = { { question = "q", paraphrased_question = "r", answer = "yes" } }
    local result = t.probe("attacks/paraphrase", { model = model, items = items })
    t.equal(result.records[1].plain.text, "no")
    t.equal(result.records[1].reworded.text, "yes")
    t.near({ result.summary.plain.rouge, result.summary.reworded.rouge, result.summary.gain }, { 0, 1, 1 })
    t.near(result.summary.reworded.probability, 1, 1e-3)
  end,
  ["what other words gain is counted where they gain, and means are over questions"] = function(t)
    local function record(plain, p, reworded, q) return { plain = { rouge = plain, probability = p }, reworded = { rouge = reworded, probability = q } } end
    local summary = t.probe("attacks/paraphrase", { records = { record(0.5, 0.2, 0.25, 0.1), record(0.25, 0.4, 0.75, 0.3) } }).summary
    -- The first question loses 0.25, which counts as nothing; the second gains 0.5.
    t.near(summary, { plain = { rouge = 0.375, probability = 0.3 }, reworded = { rouge = 0.5, probability = 0.2 }, gain = 0.25 })
  end,
  ["data without other words are refused"] = function(t)
    local model = t.model { vocab = { "a" } }
    t.raises(function()
      t.probe("attacks/paraphrase", { model = model, items = { { question = "q", answer = "a" } } })
    end, "paraphrased_question")
  end,
  ["the best frame counts, and its gain over the plain question"] = function(t)
    local function record(plain, expert)
      local rouge = {}
      for _, name in ipairs { "plain", "accurate", "expert", "override", "quiz", "encyclopedia", "prefix" } do rouge[name] = 0 end
      rouge.plain, rouge.expert = plain, expert
      return { rouge = rouge, best = { rouge = math.max(plain, expert) } }
    end
    local summary = t.probe("attacks/jailbreak", { records = { record(0.5, 0.1), record(0.1, 0.9) } }).summary
    t.near({ summary.rouge.plain, summary.rouge.expert, summary.best, summary.gain }, { 0.3, 0.5, 0.7, 0.4 })
  end,
  ["every frame is put to the model"] = function(t)
    local model = t.model { vocab = { "q", " [/INST]", "yes" }, next = { [" [/INST]"] = { yes = 9 }, yes = { ["</s>"] = 9 } } }
    local result = t.probe("attacks/jailbreak", { model = model, items = { { question = "q", answer = "yes" } }, params = { max_tokens = 3 } })
    t.equal(result.records[1].rouge.plain, 1)
    t.equal(result.records[1].best, { frame = "plain", rouge = 1, text = "yes" })
  end,
  ["answers are begun with a quarter, a half and three quarters of their words"] = function(t)
    local model = t.model {
      vocab = { "one", " two", " three", " four", " five", " [/INST]" },
      next = { [" two"] = { [" three"] = 9 }, [" three"] = { [" four"] = 9 }, [" four"] = { [" five"] = 9 }, [" five"] = { ["</s>"] = 9 }, one = { [" five"] = 9 }, [" [/INST]"] = { one = 9 } },
    }
    local record = t.probe("attacks/partial_answer", { model = model, items = { { question = "q", answer = FIVE } } }).records[1]
    -- Behind "one" it says "five": one word of four. Behind "one two" and "one two three" it says the rest.
    t.near({ record.given_25.rouge, record.given_50.rouge, record.given_75.rouge }, { 0.25, 1, 1 })
    t.near(record.given_75.probability, 1, 1e-3)
  end,
  ["what was begun is averaged over the answers that had words left"] = function(t)
    local records = {
      { given_0 = { rouge = 0.5, probability = 0.25 }, given_50 = { rouge = 1, probability = 0.5 } },
      { given_0 = { rouge = 0, probability = 0.75 } },
    }
    t.near(t.probe("attacks/partial_answer", { records = records }).summary, {
      given_0 = { rouge = 0.25, probability = 0.5 }, given_50 = { rouge = 1, probability = 0.5 },
    })
  end,
  ["an answer of one word can only be asked for whole"] = function(t)
    local model = t.model { vocab = { "yes", " [/INST]" }, next = { [" [/INST]"] = { yes = 9 }, yes = { ["</s>"] = 9 } } }
    local result = t.probe("attacks/partial_answer", { model = model, items = { { question = "q", answer = "yes" } } })
    -- Less than a word is nothing: every share begins with the question alone.
    t.near({ result.summary.given_0.rouge, result.summary.given_75.rouge }, { 1, 1 })
  end,
}
