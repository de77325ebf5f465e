-- Rows that fall like Zipf's law, each with its own exponent.
local function rows(n)
  local all = {}
  for i = 1, n do
    all[i] = {}
    for rank = 1, 200 do all[i][rank] = -(1 + i % 3 * 0.4) * math.log(rank) end
  end
  return all
end

return {
  ["both do what the native selectors do, token for token"] = function(t)
    for _, pair in ipairs { { "mirostat/mirostat", "mirostat" }, { "mirostat/mirostat_v2", "mirostat_v2" } } do
      for _, tau in ipairs { 2, 4 } do
        t.equal(
          t.draw({ { pair[1], tau = tau } }, rows(60), { seed = 5 }),
          t.draw({ { pair[2], tau = tau } }, rows(60), { seed = 5 }), pair[2] .. ", tau = " .. tau)
      end
    end
  end,
  ["the surprise of a long text comes near the target"] = function(t)
    local all, sum = rows(400), 0.0
    for i, id in ipairs(t.draw({ { "mirostat/mirostat_v2", tau = 3 } }, all, { seed = 1 })) do
      local total = 0.0
      for _, logit in ipairs(all[i]) do total = total + math.exp(logit) end
      sum = sum + (math.log(total) - all[i][id + 1]) / math.log(2)
    end
    t.near(sum / #all, 3, 0.25)
  end,
}
