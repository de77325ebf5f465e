local lacuna <const> = require "lacuna"

-- Greedy takes b (then only a bad end), a beam sees that a, c is better.
local function model(t)
  return t.model {
    vocab = { "a", "b", "c", "." },
    next = {
      ["."] = { a = 1.0, b = 1.3 },
      b = { ["</s>"] = 0, a = 0, b = 0, c = 0 },
      a = { c = 10 },
      c = { ["</s>"] = 10 },
    },
  }
end

return {
  ["finds the sequence that greedy decoding misses"] = function(t)
    local m = model(t)
    local greedy = m:session { text = "." }
    t.equal(greedy:generate({ max_tokens = 1, sampler = "greedy" }).text, "b")
    local session = m:session { text = "." }
    local result = session:generate { decoder = "beam/beam", width = 3, max_tokens = 4 }
    t.equal(result.text, "ac")
    t.equal(result.finish, "eos")
    t.equal(session:text(), ".ac", "the session is the winning beam")
  end,
  ["the score is the sum of log-probabilities over the length"] = function(t)
    local result = model(t):session({ text = "." }):generate { decoder = "beam/beam", width = 3, max_tokens = 4 }
    -- p(a) = e^1 / (e^1 + e^1.3 + 5 e^-20); c and the end are all but sure.
    t.near(result.info.score, (1 - math.log(math.exp(1) + math.exp(1.3))) / 3, 1e-3)
  end,
  ["width 1 is greedy"] = function(t)
    local result = model(t):session({ text = "." }):generate { decoder = "beam/beam", width = 1, max_tokens = 1 }
    t.equal(result.text, "b")
    t.equal(result.finish, "length")
  end,
  ["a second group avoids what the first one chose"] = function(t)
    local result = model(t):session({ text = "." }):generate {
      decoder = "diverse_beam", width = 1, groups = 2, diversity = 1, max_tokens = 4,
    }
    t.equal(result.text, "ac", "the first group is greedy and takes b; the second pays for b")
  end,
  ["a full context ends it, and without room there is no score"] = function(t)
    local m <const> = t.model { vocab = { "a" }, next = { a = { a = 9 } }, context = 5 }
    for _, decoder in ipairs { "beam/beam", "diverse_beam" } do
      local session <const> = m:session { text = "a" }
      local room <const> = m.info.context - #session
      local result = session:generate { decoder = decoder, width = 1, max_tokens = 64 }
      t.equal({ result.finish, #result.tokens }, { "context", room })
      result = session:generate { decoder = decoder, width = 2, max_tokens = 64 }
      t.equal({ result.finish, #result.tokens, result.info.score }, { "context", 0 })
      t.ok(lacuna.json.encode(result))
    end
  end,
  ["an option that it does not know is named"] = function(t)
    t.raises(function() model(t):session({ text = "." }):generate { decoder = "beam/beam", widht = 2 } end, 'did you mean "width"')
  end,
}
