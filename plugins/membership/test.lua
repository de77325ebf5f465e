local VOCAB <const> = { "[INST] ", "q", " [/INST]", "a", "b", "c", "d" }

-- The probabilities that follow each piece, as logits.
local function model(t, table_of_probabilities)
  local next = {}
  for piece, probabilities in pairs(table_of_probabilities) do
    next[piece] = {}
    for token, p in pairs(probabilities) do next[piece][token] = math.log(p) end
  end
  return t.model { vocab = VOCAB, next = next, floor = -60 }
end

local function member(loss, min_k) return { member = true, loss = loss, zlib = loss, min_k = min_k, min_k_plus_plus = min_k } end
local function other(loss, min_k) return { member = false, loss = loss, zlib = loss, min_k = min_k, min_k_plus_plus = min_k } end

return {
  ["scores of an answer, worked by hand"] = function(t)
    local model = model(t, {
      [" [/INST]"] = { a = 0.5, b = 0.5 }, a = { b = 0.25, c = 0.75 }, b = { ["</s>"] = 0.8, a = 0.2 },
    })
    local record = t.probe("membership", {
      model = model, items = { { question = "q", answer = "ab" } }, params = { k = 0.5 }, summary = false,
    }).records[1]
    -- Losses with EOS: ln 2, ln 4, -ln 0.8; "ab" compresses to 10 bytes.
    local loss = (math.log(2) + math.log(4) - math.log(0.8)) / 3
    t.near(record.loss, loss, 1e-5)
    t.near(record.zlib, loss / 10, 1e-5)
    -- Half of the two tokens before EOS is one: the lowest is ln 0.25.
    t.near(record.min_k, math.log(4), 1e-5)
    -- After the question every likely token has ln 0.5: no variance, clamped, (ln 0.5 - ln 0.5) / 1e-3 = 0. After a, the mean is
    -- mu = 0.25 ln 0.25 + 0.75 ln 0.75 and the deviation sqrt(0.25 * 0.75) * ln 3.
    local mu = 0.25 * math.log(0.25) + 0.75 * math.log(0.75)
    t.near(record.min_k_plus_plus, -(math.log(0.25) - mu) / (math.sqrt(0.1875) * math.log(3)), 1e-4)
    t.equal(record.member, true)
  end,
  ["at least one token is looked at, and parts of one are not"] = function(t)
    local model = model(t, {
      [" [/INST]"] = { a = 0.5, b = 0.5 }, a = { b = 0.25, c = 0.75 }, b = { c = 0.125, a = 0.875 }, c = { ["</s>"] = 1 },
    })
    local function min_k(k)
      local items = { { question = "q", answer = "abc" } }
      return t.probe("membership", { model = model, items = items, params = { k = k }, summary = false }).records[1].min_k
    end
    t.near(min_k(0.1), math.log(8), 1e-5)
    t.near(min_k(0.66), math.log(8), 1e-5)
    t.near(min_k(0.67), (math.log(8) + math.log(4)) / 2, 1e-5)
  end,
  ["areas and leakage, worked by hand"] = function(t)
    -- Of the four pairs of an unseen and a seen row, min-k ranks the unseen one higher in three: 0.75; loss in all: 1.
    local records = { member(1, 1), member(2, 3), other(3, 2), other(4, 4) }
    local summary = t.probe("membership", { records = records }).summary
    t.near(summary.auc, { loss = 1, zlib = 1, min_k = 0.75, min_k_plus_plus = 0.75 })
    t.near(summary.privacy_leakage, 100 * (0.25 - 0.5) / 0.5, 1e-5)
    t.equal({ summary.members, summary.nonmembers }, { 2, 2 })
  end,
  ["the retrained model's area is what leakage is measured from, and its losses are taken off"] = function(t)
    local records = { member(1, 1), member(2, 3), other(3, 2), other(4, 4) }
    local reference = { member(0, 2), member(2, 2), other(3, 2), other(4, 2) }
    local summary = t.probe("membership", { records = records, reference = reference }).summary
    -- Losses less the reference's: 1, 0 and 0, 0: unseen above seen in no pair, two ties count half.
    t.near(summary.auc.reference, 0.25)
    -- All of the reference's min-k scores are ties: its area is 0.5.
    t.near(summary.privacy_leakage, 100 * (0.25 - 0.5) / 0.5, 1e-5)
    t.near(t.probe("membership", { records = records, reference = records }).summary.privacy_leakage, 0)
  end,
  ["rows of one kind alone are refused"] = function(t)
    t.raises(function() t.probe("membership", { records = { member(1, 1) } }) end, "1 members and 0 others")
  end,
}
