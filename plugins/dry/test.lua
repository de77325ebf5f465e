return {
  ["a repetition of n tokens costs multiplier * base^(n - allowed_length)"] = function(t)
    -- 1 2 3 then 9, and now 1 2 3 again: 9 would continue a match of three.
    local probs = t.filter(
      { "dry/dry", multiplier = 1, base = 2, allowed_length = 2 }, { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 },
      { tokens = { 1, 2, 3, 9, 4, 1, 2, 3 } })
    t.near(math.log(probs[1] / probs[10]), 2.0, 1e-5)
  end,
  ["no match reaches across a breaker"] = function(t)
    local probs = t.filter(
      { "dry/dry", multiplier = 1, base = 2, allowed_length = 2, breakers = { 2 } }, { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 },
      { tokens = { 1, 2, 3, 9, 4, 1, 2, 3 } })
    t.near(probs[10], 0.1)
  end,
  ["does what the native stage does"] = function(t)
    local tokens = { 5, 1, 2, 3, 4, 1, 2, 3, 0, 1, 2, 3, 1, 2, 1, 2 }
    local logits = { 1, 2, 0.5, 0, 0.2, 1.5 }
    for _, allowed in ipairs { 1, 2, 3 } do
      t.near(
        t.filter({ "dry/dry", allowed_length = allowed }, logits, { tokens = tokens }),
        t.filter({ "dry", allowed_length = allowed, sequence_breakers = {} }, logits, { tokens = tokens }), 1e-5)
    end
  end,
}
