-- In a model of tests a token's hidden state is its own: the cosine with itself is 1, with any other 0.
local function model(t)
  return t.model {
    vocab = { "a", "b", "c" },
    next = {
      a = { a = math.log(0.6), b = math.log(0.3), c = math.log(0.1) },
      b = { a = math.log(0.5), b = math.log(0.4), c = math.log(0.1) },
      c = { ["</s>"] = 9 },
    },
  }
end
local function decode(t, options)
  options.decoder = "contrastive_search"
  local session = model(t):session { tokens = model(t):encode("a") }
  local result = session:generate(options)
  return result.text, result.finish, session
end

return {
  ["without a penalty it is greedy decoding"] = function(t)
    t.equal(decode(t, { alpha = 0, max_tokens = 3 }), "aaa")
    t.equal(decode(t, { k = 1, max_tokens = 3 }), "aaa")
  end,
  ["a token like one that was there pays alpha"] = function(t)
    -- After a: 0.4 * 0.6 - 0.6 for a, 0.4 * 0.3 for b. Then a and b are both there, c is not: 0.4 * 0.1.
    local text, finish, session = decode(t, { alpha = 0.6, max_tokens = 8 })
    t.equal(text, "bc")
    t.equal(finish, "eos")
    t.equal(session:text(), "abc")
  end,
  ["the penalty is weighed against the probability"] = function(t)
    -- 0.8 * 0.6 - 0.2 for a, 0.8 * 0.3 for b: 0.28 and 0.24.
    t.equal(decode(t, { alpha = 0.2, max_tokens = 2 }), "aa")
  end,
  ["it goes as far as it may"] = function(t)
    local _, finish = decode(t, { alpha = 0.6, max_tokens = 1 })
    t.equal(finish, "length")
  end,
}
