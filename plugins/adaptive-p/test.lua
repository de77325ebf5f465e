-- Rows with a tail, each of another sharpness.
local function rows(n)
  local all = {}
  for i = 1, n do
    all[i] = {}
    for rank = 1, 50 do all[i][rank] = -(0.5 + i % 4 * 0.3) * math.log(rank) end
  end
  return all
end

return {
  ["does what the native selector does, token for token"] = function(t)
    for _, target in ipairs { 0.1, 0.5, 0.9 } do
      local options <const> = { seed = 3 }
      t.equal(
        t.draw({ { "min_p", p = 0.02 }, { "adaptive-p/adaptive_p", target = target } }, rows(60), options),
        t.draw({ { "min_p", p = 0.02 }, { "adaptive_p", target = target } }, rows(60), options), "target = " .. target)
    end
  end,
  ["the first draw prefers what is on target"] = function(t)
    -- Probabilities 0.9 and 0.1; the weights are e^f(0) and e^f(0.8 / 0.3) with f(d) = 5 - 10 d^2 / (1 + d).
    local d <const> = 0.8 / 0.3
    local share <const> = 1 / (1 + math.exp(-10 * d * d / (1 + d)))
    t.ok(share > 0.99)
    for seed = 1, 20 do
      local drawn <const> = t.draw({ { "adaptive-p/adaptive_p", target = 0.9 } }, { { math.log(0.9), math.log(0.1) } }, { seed = seed })
      t.equal(drawn, { 0 })
    end
  end,
}
