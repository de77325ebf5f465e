local lacuna <const> = require "lacuna"

return lacuna.plugin {
  samplers = {
    quadratic = {
      description = "replaces a logit that lies d below the highest one by highest - k d^2 + s d^3",
      params = {
        factor = { type = "number", default = 0.3, min = 0, max = 10, description = "how steep; 0 is off" },
        curve = { type = "number", default = 1, min = 1, max = 3,
          description = "1 is the parabola; above it the good choices come closer and the bad ones fall faster" },
      },
      -- Not argmax_invariant: rounding can make the two best equal.
      apply = function(logits, params)
        if params.factor == 0 then return end
        local k <const> = params.factor * (3 - params.curve) / 2
        local s <const> = params.factor * (params.curve - 1) / 2
        local highest <const> = logits:max()
        for id = 0, #logits - 1 do
          local d = highest - logits[id]
          if d < math.huge then logits[id] = highest - k * d ^ 2 - s * d ^ 3 end
        end
      end,
    },
  },
}
