return {
  ["bends logits around the highest one"] = function(t)
    -- 3 - 0.5 * 2^2 = 1, and 3 - 0.5 * 1^2 = 2.5.
    local probs = t.filter({ "quadratic", factor = 0.5 }, { 3, 2, 1 })
    t.near(math.log(probs[1] / probs[2]), 0.5, 1e-5)
    t.near(math.log(probs[1] / probs[3]), 2.0, 1e-5)
  end,
  ["curve trades the square for the cube"] = function(t)
    -- factor 0.4, curve 2: 0.2 d^2 + 0.2 d^3.
    local probs = t.filter({ "quadratic", factor = 0.4, curve = 2 }, { 3, 2, 1 })
    t.near(math.log(probs[1] / probs[2]), 0.4, 1e-5)
    t.near(math.log(probs[1] / probs[3]), 2.4, 1e-5)
  end,
  ["does what the native stage does"] = function(t)
    for _, curve in ipairs { 1, 1.5, 3 } do
      t.near(
        t.filter({ "quadratic", factor = 0.3, curve = curve }, { 3.1, -0.4, 2.2, 0, -7, 3.0, 1.5 }),
        t.filter({ "smoothing", factor = 0.3, curve = curve }, { 3.1, -0.4, 2.2, 0, -7, 3.0, 1.5 }), 1e-5, "curve = " .. curve)
    end
  end,
}
