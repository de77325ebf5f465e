return {
  ["keeps what is at least p times as probable as the best"] = function(t)
    -- Probabilities 0.5, 0.3, 0.15, 0.05: with p = 0.4 the floor is 0.2.
    local logits = { math.log(0.5), math.log(0.3), math.log(0.15), math.log(0.05) }
    t.near(t.filter({ "min-p/min_p", p = 0.4 }, logits), { 0.625, 0.375, 0, 0 })
  end,
  ["does what the native stage does"] = function(t)
    local logits = { 3.1, -0.4, 2.2, 0, -7, 3.0, 1.5 }
    for _, p in ipairs { 0, 0.01, 0.3, 1 } do
      t.near(t.filter({ "min-p/min_p", p = p }, logits), t.filter({ "min_p", p = p }, logits), 1e-6, "p = " .. p)
    end
  end,
}
