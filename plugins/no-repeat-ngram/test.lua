return {
  ["masks what would complete an n-gram again"] = function(t)
    -- 0 1 2 came before; after 0 1 the 2 is banned.
    t.near(t.filter({ "no-repeat-ngram/no_repeat_ngram", n = 3 }, { 1, 1, 1, 1 }, { tokens = { 0, 1, 2, 3, 0, 1 } }), { 1 / 3, 1 / 3, 0, 1 / 3 })
  end,
  ["n = 1 bans every token that has been there"] = function(t)
    t.near(t.filter({ "no-repeat-ngram/no_repeat_ngram", n = 1 }, { 1, 1, 1 }, { tokens = { 0, 2 } }), { 0, 1, 0 })
  end,
  ["the prompt may be left out"] = function(t)
    local options = { tokens = { 0, 1, 2, 3, 0, 1 }, prompt = 4 }
    t.near(t.filter({ "no-repeat-ngram/no_repeat_ngram", n = 3, prompt = false }, { 1, 1, 1, 1 }, options), { 0.25, 0.25, 0.25, 0.25 })
  end,
  ["a text that has used everything up goes on"] = function(t)
    t.near(t.filter({ "no-repeat-ngram/no_repeat_ngram", n = 1 }, { 1, 1 }, { tokens = { 0, 1 } }), { 0.5, 0.5 })
  end,
  ["does what the native stage does"] = function(t)
    local options = { tokens = { 0, 1, 2, 3, 0, 1, 4, 0, 1 } }
    for n = 1, 4 do
      local logits = { 1, 2, 0.5, 0, 0.2, 1.5 }
      t.near(
        t.filter({ "no-repeat-ngram/no_repeat_ngram", n = n }, logits, options),
        t.filter({ "no_repeat_ngram", n = n }, logits, options), 1e-6, "n = " .. n)
    end
  end,
}
