local lacuna <const> = require "lacuna"

local function model(t)
  return t.model {
    vocab = { "a", "b", "." },
    next = { ["."] = { a = 1.0, b = 0 }, a = { ["</s>"] = 9 }, b = { ["</s>"] = 9 } },
  }
end
local function generate(t, next, options)
  return t.model({ vocab = { "a", "b", ".", "-", "3", "5", " " }, next = next }):session({ text = "." }):generate(options)
end
return {
  ["the best of many tries is the most probable one"] = function(t)
    local result = model(t):session({ text = "." }):generate { decoder = "best_of_n", n = 8, min_p = 0 }
    t.equal(result.text, "a")
    t.equal(#result.info.scores, 8)
    for _, score in ipairs(result.info.scores) do t.ok(score <= result.info.score) end
  end,
  ["an answer that ends at once is worth what its end is"] = function(t)
    local next <const> = { ["."] = { a = 3, ["</s>"] = 0 }, a = { ["</s>"] = 9 } }
    local ended
    for stream = 1, 20 do
      local session = t.model({ vocab = { "a", "." }, next = next }):session { text = ".", seed = stream }
      local result = session:generate { decoder = "best_of_n", n = 16, min_p = 0 }
      t.equal(result.text, "a")
      for _, score in ipairs(result.info.scores) do
        if score < -3 then
          ended = true
          t.near(score, -math.log(1 + math.exp(3)), 1e-3, "the end's own log-probability")
        else
          t.near(score, -math.log(1 + math.exp(-3)) / 2, 1e-3, "a, and an end that is all but sure")
        end
      end
    end
    t.ok(ended, "no try ended at once")
  end,
  ["without room there is no score"] = function(t)
    local result = t.model({ vocab = { "." }, context = 2 }):session({ text = "." }):generate { decoder = "best_of_n", n = 2 }
    t.equal({ #result.tokens, result.finish, result.info.score }, { 0, "context" })
    t.ok(lacuna.json.encode(result.info))
  end,
  ["the floor comes before the heat"] = function(t)
    -- b is a tenth as probable as a; heated first it would be 0.8 of it, and pass a floor of 0.5.
    local result = generate(t, { ["."] = { a = 2.3, b = 0 }, a = { ["</s>"] = 99 }, b = { ["</s>"] = 99 } },
      { decoder = "best_of_n", n = 32, min_p = 0.5, temperature = 10 })
    for _, score in ipairs(result.info.scores) do t.near(score, result.info.score, 1e-9) end
  end,
  ["tries are drawn apart"] = function(t)
    local result = model(t):session({ text = "." }):generate { decoder = "best_of_n", n = 16, min_p = 0, temperature = 2 }
    local seen = {}
    for _, score in ipairs(result.info.scores) do seen[("%.3f"):format(score)] = true end
    t.ok(next(seen, next(seen)), "all 16 tries are the same")
  end,
  ["the answer that most tries give wins"] = function(t)
    local result = model(t):session({ text = "." }):generate { decoder = "self_consistency", n = 15, min_p = 0 }
    t.equal(result.info.answer, "a")
    t.ok(result.info.votes > 7)
  end,
  ["a pattern that nothing matches is an error that says so"] = function(t)
    t.raises(function() model(t):session({ text = "." }):generate { decoder = "self_consistency", pattern = "%d" } end, "no try matched")
  end,
  ["answers differ by what stands inside them, and by a sign"] = function(t)
    for _, case in ipairs {
      { { ["."] = { ["3"] = 99 }, ["3"] = { a = 99 }, a = { ["</s>"] = 99 } }, "3a" },
      { { ["."] = { ["-"] = 99 }, ["-"] = { ["3"] = 99 }, ["3"] = { ["</s>"] = 99 } }, "-3" },
      { { ["."] = { [" "] = 99 }, [" "] = { ["-"] = 99 }, ["-"] = { a = 99 }, a = { ["</s>"] = 99 } }, "a" },
      { { ["."] = { a = 99 }, a = { ["-"] = 99 }, ["-"] = { b = 99 }, b = { ["</s>"] = 99 } }, "a-b" },
    } do
      t.equal(generate(t, case[1], { decoder = "self_consistency", n = 1 }).info.answer, case[2])
    end
    -- -3 and 3 are as likely as each other: 2 tries give no more votes to one of them than there are tries of it.
    local next <const> = { ["."] = { ["-"] = 50, ["3"] = 50 }, ["-"] = { ["3"] = 99 }, ["3"] = { ["</s>"] = 99 } }
    local info <const> = generate(t, next, { decoder = "self_consistency", n = 32, min_p = 0 }).info
    t.ok(info.votes < 32, "-3 and 3 were one answer")
  end,
  ["a pattern that is none is refused before anything is drawn"] = function(t)
    for _, pattern in ipairs { "[", "a(", "%" } do
      t.raises(function() model(t):session({ text = "." }):generate { decoder = "self_consistency", pattern = pattern } end, "pattern: ")
    end
  end,
}
