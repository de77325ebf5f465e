return {
  ["keeps what lies within n deviations of the top"] = function(t)
    -- 0, 2, 4, 6 have mean 3 and variance 5: one deviation below 6 is 3.76.
    t.near(t.filter({ "top-n-sigma/top_n_sigma", n = 1 }, { 0, 2, 4, 6 }), { 0, 0, 1 / (1 + math.exp(2)), 1 / (1 + math.exp(-2)) })
  end,
  ["a temperature before it makes no difference to what stays"] = function(t)
    t.near(t.filter({ "top-n-sigma/top_n_sigma", n = 1 }, { 0, 1, 2, 3 })[2], 0)
    t.near(t.filter({ "top-n-sigma/top_n_sigma", n = 1 }, { 0, 20, 40, 60 })[2], 0)
  end,
  ["does what the native stage does"] = function(t)
    local logits = { 3.1, -0.4, 2.2, 0, -7, 3.0, 1.5 }
    for _, n in ipairs { 0, 0.5, 1, 2 } do
      t.near(t.filter({ "top-n-sigma/top_n_sigma", n = n }, logits), t.filter({ "top_n_sigma", n = n }, logits))
    end
  end,
}
