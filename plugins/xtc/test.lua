local LOGITS <const> = { math.log(0.4), math.log(0.3), math.log(0.2), math.log(0.1) }
return {
  ["leaves only the least of the good choices"] = function(t)
    t.near(t.filter({ "xtc/xtc", probability = 1, threshold = 0.15 }, LOGITS), { 0, 0, 2 / 3, 1 / 3 })
  end,
  ["one good choice alone stays"] = function(t)
    t.near(t.filter({ "xtc/xtc", probability = 1, threshold = 0.35 }, LOGITS), { 0.4, 0.3, 0.2, 0.1 })
  end,
  ["acts about as often as it is told to"] = function(t)
    local acted = 0
    for seed = 1, 400 do
      if t.filter({ "xtc/xtc", probability = 0.25, threshold = 0.15 }, LOGITS, { seed = seed })[1] == 0 then
        acted = acted + 1
      end
    end
    t.near(acted / 400, 0.25, 0.07)
  end,
  ["does what the native stage does, when it acts"] = function(t)
    for _, threshold in ipairs { 0, 0.05, 0.15, 0.25, 0.35, 0.6 } do
      t.near(
        t.filter({ "xtc/xtc", probability = 1, threshold = threshold }, LOGITS),
        t.filter({ "xtc", probability = 1, threshold = threshold }, LOGITS), 1e-6, "threshold " .. threshold)
    end
  end,
}
