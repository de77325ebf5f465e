return {
  ["is hot where the model is unsure and cool where it is sure"] = function(t)
    local unsure = t.filter({ "dynamic_temperature", t = 1, range = 0.5 }, { 0.1, 0 })
    t.near(math.log(unsure[1] / unsure[2]), 0.1 / 1.5, 1e-3)
    local sure = t.filter({ "dynamic_temperature", t = 1, range = 0.5 }, { 6, 0 })
    t.ok(math.log(sure[1] / sure[2]) > 6 / 0.6)
  end,
  ["does what the native stage does"] = function(t)
    local logits = { 3.1, -0.4, 2.2, 0, -7, 3.0, 1.5 }
    for _, exponent in ipairs { 0.5, 1, 2 } do
      t.near(
        t.filter({ "dynamic_temperature", t = 1, range = 0.4, exponent = exponent }, logits),
        t.filter({ "dynatemp", t = 1, range = 0.4, exponent = exponent }, logits), 1e-5)
    end
  end,
}
