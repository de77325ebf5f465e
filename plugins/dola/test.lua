-- The last layer hesitates between a and b; the early exit is all for a, so that b is what the layers between added.
local function model(t, early)
  return t.model {
    vocab = { "a", "b", "c", "." },
    next = { ["."] = { a = 2.0, b = 1.9, c = -5 }, a = { ["</s>"] = 9 }, b = { ["</s>"] = 9 } },
    early = early or { ["."] = { a = 4, b = 0, c = -9 }, a = { a = 1 }, b = { b = 1 } },
  }
end
local function decode(m, options)
  options.decoder = "dola/dola"
  return m:session({ text = "." }):generate(options)
end

return {
  ["takes what the last layers add"] = function(t)
    local m = model(t)
    t.equal(m:session({ text = "." }):generate({ max_tokens = 1, sampler = "greedy" }).text, "a")
    local result = decode(m, { max_tokens = 4 })
    t.equal(result.text, "b")
    t.equal(result.finish, "eos")
    t.equal(result.info.layers, { 0, 0 })
  end,
  ["but nothing that the last layer finds implausible"] = function(t)
    -- c gains most, from -30 to -5, and has no chance at the end; a and b lose alike.
    local early <const> = { ["."] = { a = 4, b = 4, c = -30 }, a = { a = 1 }, b = { b = 1 } }
    t.equal(decode(model(t, early), { max_tokens = 1 }).text, "a")
    t.equal(decode(model(t), { max_tokens = 1, alpha = 0.99 }).text, "a", "b is a tenth less probable")
  end,
  ["a token that is there already pays"] = function(t)
    local m = t.model {
      vocab = { "a", "b", "c" },
      next = { a = { a = 2, b = 1.9, c = -5 }, b = { ["</s>"] = 9 } },
      early = { a = { a = 0, b = 0, c = 3 }, b = { b = 1 } },
    }
    local function first(repetition)
      return m:session({ text = "a" }):generate({ decoder = "dola", max_tokens = 1, repetition = repetition }).text
    end
    t.equal(first(1), "a")
    t.equal(first(10), "b")
  end,
  ["a layer that is not before the last is named"] = function(t)
    t.raises(function() decode(model(t), { layers = { 1 } }) end, "expected 0 to 0")
    t.raises(function() decode(model(t), { layers = {} }) end, "layers: expected one or more")
    t.raises(function() decode(model(t), { bucket = "middle" }) end, "bucket")
  end,
}
