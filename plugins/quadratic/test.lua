local ROWS <const> = {
  { 3.1, -0.4, 2.2, 0, -7, 3.0, 1.5 },
  { 1, 0.5, -math.huge, -math.huge, -math.huge },
  { -math.huge, 2, 0.5, -math.huge, 1.9, -3 },
  { -math.huge, 0.7, -math.huge },
  { 1, 1, -math.huge, 1, 1 },
}

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
    for i, row in ipairs(ROWS) do
      for _, factor in ipairs { 0, 0.3, 10 } do
        for _, curve in ipairs { 1, 1.5, 3 } do
          t.near(
            t.filter({ "quadratic", factor = factor, curve = curve }, row), t.filter({ "smoothing", factor = factor, curve = curve }, row),
            1e-5, ("row %d, factor = %g, curve = %g"):format(i, factor, curve))
        end
      end
    end
  end,
  ["greedy sees what rounding makes of two that are close"] = function(t)
    -- 30 - 0.3 (2^-18)^2 is 30 in single precision: a tie, of which greedy takes the lower id.
    local rows <const> = { { 30 - 2 ^ -18, 30 } }
    t.equal(t.draw({ "greedy" }, rows), { 1 })
    t.equal(t.draw({ "quadratic", "greedy" }, rows), { 0 })
    t.equal(t.draw({ "smoothing", "greedy" }, rows), { 0 })
  end,
}
