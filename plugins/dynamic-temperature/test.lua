local ROWS <const> = {
  { 3.1, -0.4, 2.2, 0, -7, 3.0, 1.5 },
  { 1, 0.5, -math.huge, -math.huge, -math.huge },
  { -math.huge, 2, 0.5, -math.huge, 1.9, -3 },
  { -math.huge, 0.7, -math.huge },
  { 1, 1, -math.huge, 1, 1 },
}

return {
  ["is hot where the model is unsure and cool where it is sure"] = function(t)
    local unsure = t.filter({ "dynamic_temperature", t = 1, range = 0.5 }, { 0.1, 0 })
    t.near(math.log(unsure[1] / unsure[2]), 0.1 / 1.5, 1e-3)
    local sure = t.filter({ "dynamic_temperature", t = 1, range = 0.5 }, { 6, 0 })
    t.ok(math.log(sure[1] / sure[2]) > 6 / 0.6)
  end,
  ["does what the native stage does"] = function(t)
    for i, row in ipairs(ROWS) do
      for _, p in ipairs {
        { t = 1, range = 0.4, exponent = 0.5 }, { t = 1, range = 0.4 }, { t = 1, range = 0.4, exponent = 2 }, { t = 0, range = 0 },
        { t = 0, range = 1 }, { t = 0.4, range = 0.5, exponent = 100 }, { t = 0.01, range = 100, exponent = 0.01 }, { t = 100, range = 100 },
      } do
        local plugin <const>, native = { "dynamic_temperature" }, { "dynatemp" }
        for name, value in pairs(p) do plugin[name], native[name] = value, value end
        t.near(t.filter(plugin, row), t.filter(native, row), 1e-5,
          ("row %d, t = %g, range = %g, exponent = %g"):format(i, p.t, p.range, p.exponent or 1))
      end
    end
  end,
  ["is greedy at a temperature of 0"] = function(t)
    t.equal(t.filter({ "dynamic_temperature", t = 0, range = 0 }, { 1, 3, 3, 2 }), { 0, 1, 0, 0 })
  end,
}
