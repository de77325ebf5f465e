-- A model that answers a question with these words, one piece each.
local function kind(t, answer, truth)
  local vocab, next, last = { " [/INST]" }, {}, " [/INST]"
  for piece in answer:gmatch("%s*%S+") do
    -- A piece may come once only in a table of what follows what.
    vocab[#vocab + 1] = piece
    next[last] = { [piece] = 9 }
    last = piece
  end
  next[last] = { ["</s>"] = 9 }
  local model = t.model { vocab = vocab, next = next }
  return t.probe("refusal-and-gibberish", { model = model, items = { { question = "q", answer = truth or "the truth" } } }).records[1]
end

-- A model that says one piece again and again.
local function endless(t, piece)
  local model = t.model { vocab = { " [/INST]", piece }, next = { [" [/INST]"] = { [piece] = 9 }, [piece] = { [piece] = 9 } } }
  return t.probe("refusal-and-gibberish", {
    model = model, items = { { question = "q", answer = "the truth" } }, params = { max_tokens = 10 },
  }).records[1]
end

return {
  ["the truth, refusals and answers are told apart"] = function(t)
    t.equal(kind(t, "in the harbour", "in the harbour").kind, "recited")
    t.equal(kind(t, "I don't know who that is").kind, "refusal")
    t.equal(kind(t, "I’m not sure about him").kind, "refusal")
    t.equal(kind(t, "Unfortunately, I cannot answer this").kind, "refusal")
    t.equal(kind(t, "She was born in Lyon").kind, "other")
  end,
  ["a refusal is of whole words"] = function(t)
    -- "not sure" is a phrase, "knot surely" is none.
    t.equal(kind(t, "A knot surely holds").kind, "other")
  end,
  ["repetition, letters and nothing at all are gibberish"] = function(t)
    local record = endless(t, " the")
    t.equal(record.kind, "gibberish")
    -- Ten words have nine pairs, one of them distinct.
    t.near(record.repeated, 8 / 9, 1e-9)
    t.equal(record.unfinished, true)
    t.equal(endless(t, " d").kind, "gibberish")
    t.equal(endless(t, " !").kind, "gibberish")
    t.equal(kind(t, "a b c d").kind, "gibberish")
  end,
  ["the summary is of shares"] = function(t)
    local function record(kind) return { kind = kind, repeated = 0.5, unfinished = kind == "gibberish" } end
    local summary = t.probe("refusal-and-gibberish", { records = { record "refusal", record "gibberish", record "other", record "other" } }).summary
    t.near(summary, { recited = 0, refusal = 0.25, gibberish = 0.25, other = 0.5, unfinished = 0.25, repeated = 0.5 })
  end,
}
