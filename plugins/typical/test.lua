return {
  ["drops the obvious where it is too obvious"] = function(t)
    -- 0.5, 0.25, 0.125, 0.125 has entropy 1.75 bits. The surprises 1, 2, 3 and 3 lie 0.75, 0.25, 1.25 and 1.25 away.
    local logits = { math.log(0.5), math.log(0.25), math.log(0.125), math.log(0.125) }
    t.near(t.filter({ "typical/typical", p = 0.2 }, logits), { 0, 1, 0, 0 })
    t.near(t.filter({ "typical/typical", p = 0.7 }, logits), { 2 / 3, 1 / 3, 0, 0 })
  end,
  ["does what the native stage does"] = function(t)
    local logits = { 3.1, -0.4, 2.2, 0, -7, 3.0, 1.5 }
    for _, p in ipairs { 0.1, 0.5, 0.9, 1 } do
      t.near(t.filter({ "typical/typical", p = p }, logits), t.filter({ "typical", p = p }, logits), 1e-6, "p = " .. p)
    end
  end,
}
