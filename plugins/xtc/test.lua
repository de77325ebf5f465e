local LOGITS <const> = { math.log(0.4), math.log(0.3), math.log(0.2), math.log(0.1) }
return {
  ["leaves only the least of the good choices"] = function(t)
    t.near(t.filter({ "exclude_top", probability = 1, threshold = 0.15 }, LOGITS), { 0, 0, 2 / 3, 1 / 3 })
  end,
  ["one good choice alone stays"] = function(t)
    t.near(t.filter({ "exclude_top", probability = 1, threshold = 0.35 }, LOGITS), { 0.4, 0.3, 0.2, 0.1 })
  end,
  ["acts about as often as it is told to"] = function(t)
    local acted = 0
    for seed = 1, 400 do
      if t.filter({ "exclude_top", probability = 0.25, threshold = 0.15 }, LOGITS, { seed = seed })[1] == 0 then
        acted = acted + 1
      end
    end
    t.near(acted / 400, 0.25, 0.07)
  end,
  ["does what the native stage does"] = function(t)
    for seed = 1, 20 do
      local options = { probability = 0.5, threshold = 0.15 }
      t.near(
        t.filter({ "exclude_top", probability = 0.5, threshold = 0.15 }, LOGITS, { seed = seed }),
        t.filter({ "xtc", probability = options.probability, threshold = options.threshold }, LOGITS, { seed = seed }))
    end
  end,
}
