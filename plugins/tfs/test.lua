local ROWS <const> = {
  { 3.1, -0.4, 2.2, 0, -7, 3.0, 1.5 },
  { 1, 0.5, -math.huge, -math.huge, -math.huge },
  { -math.huge, 2, 0.5, -math.huge, 1.9, -3 },
  { -math.huge, 0.7, -math.huge },
  { 1, 1, -math.huge, 1, 1 },
}

return {
  ["cuts where the curve has spent its bends"] = function(t)
    -- 0.5, 0.3, 0.1, 0.06, 0.04: second differences |0.5 - 0.6 + 0.1| = 0, |0.3 - 0.2 + 0.06| = 0.16,
    -- |0.1 - 0.12 + 0.04| = 0.02; their shares add up to 0, 0.889, 1.
    local logits = {}
    for i, p in ipairs { 0.5, 0.3, 0.1, 0.06, 0.04 } do logits[i] = math.log(p) end
    t.near(t.filter({ "tfs/tfs", z = 0.8 }, logits), { 0.625, 0.375, 0, 0, 0 }, 1e-6)
    t.near(t.filter({ "tfs/tfs", z = 0.95 }, logits), { 5 / 9, 3 / 9, 1 / 9, 0, 0 }, 1e-6)
  end,
  ["a flat distribution has no tail"] = function(t)
    t.near(t.filter({ "tfs/tfs", z = 0.5 }, { 1, 1, 1, 1 }), { 0.25, 0.25, 0.25, 0.25 })
  end,
  ["does what the native stage does"] = function(t)
    for i, row in ipairs(ROWS) do
      for _, z in ipairs { 0, 0.3, 0.8, 0.95, 1 } do
        t.near(t.filter({ "tfs/tfs", z = z }, row), t.filter({ "tfs", z = z }, row), 1e-6, ("row %d, z = %g"):format(i, z))
      end
    end
  end,
}
