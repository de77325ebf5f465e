local LOGITS <const> = { 3.1, -0.4, 2.2, 0, -7, 3.0, 1.5 }
return {
  ["epsilon is an absolute floor"] = function(t)
    local logits = { math.log(0.5), math.log(0.3), math.log(0.15), math.log(0.05) }
    t.near(t.filter({ "truncation/epsilon", epsilon = 0.2 }, logits), { 0.625, 0.375, 0, 0 })
  end,
  ["eta's floor falls where the model is unsure"] = function(t)
    -- Four equal tokens: entropy ln 4, so eta = min(e, sqrt(e) / 4), and 1/4 is above it.
    t.near(t.filter({ "truncation/eta", epsilon = 0.9 }, { 1, 1, 1, 1 }), { 0.25, 0.25, 0.25, 0.25 })
  end,
  ["both do what the native stages do"] = function(t)
    for _, epsilon in ipairs { 0, 0.001, 0.05, 0.9 } do
      t.near(t.filter({ "truncation/epsilon", epsilon = epsilon }, LOGITS), t.filter({ "epsilon", epsilon = epsilon }, LOGITS))
      t.near(t.filter({ "truncation/eta", epsilon = epsilon }, LOGITS), t.filter({ "eta", epsilon = epsilon }, LOGITS))
    end
  end,
}
