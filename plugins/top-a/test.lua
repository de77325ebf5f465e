return {
  ["the floor is a times the square of the best probability"] = function(t)
    -- 0.5 squared times 0.6 is 0.15: the third is just above it with 0.16, the fourth below.
    local logits = { math.log(0.5), math.log(0.3), math.log(0.16), math.log(0.04) }
    t.near(t.filter({ "top-a/top_a", a = 0.6 }, logits), { 0.5 / 0.96, 0.3 / 0.96, 0.16 / 0.96, 0 })
  end,
  ["a sure model leaves nothing else, an unsure one everything"] = function(t)
    t.near(t.filter({ "top-a/top_a", a = 0.2 }, { 10, 0, 0 }), { 1, 0, 0 }, 1e-3)
    t.near(t.filter({ "top-a/top_a", a = 1 }, { 1, 1, 1 }), { 1 / 3, 1 / 3, 1 / 3 })
  end,
  ["a may be given alone"] = function(t)
    t.equal(t.filter({ "top-a/top_a", 0.6 }, { 2, 1, 0 }), t.filter({ "top-a/top_a", a = 0.6 }, { 2, 1, 0 }))
  end,
  ["does what the native stage does"] = function(t)
    for _, a in ipairs { 0, 0.05, 0.3, 1 } do
      t.near(t.filter({ "top-a/top_a", a = a }, { 3.1, -0.4, 2.2, 0, -7, 3.0, 1.5 }), t.filter({ "top_a", a = a }, { 3.1, -0.4, 2.2, 0, -7, 3.0, 1.5 }), 1e-6, "a = " .. a)
    end
  end,
}
