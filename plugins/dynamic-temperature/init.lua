local lacuna <const> = require "lacuna"

return lacuna.plugin {
  samplers = {
    dynamic_temperature = {
      description = "a temperature between t - range and t + range that rises with the entropy",
      params = {
        t = { type = "number", default = 0.8, min = 0.01, max = 100, description = "the middle" },
        range = { type = "number", default = 0.5, min = 0, max = 100, description = "how far to either side" },
        exponent = { type = "number", default = 1, min = 0.01, max = 100, description = "above 1 keeps it low for longer" },
      },
      argmax_invariant = true,
      apply = function(logits, params)
        local survivors = #logits - #logits:below(-3e38)
        if survivors < 2 then return end
        local share = math.min(1, logits:entropy() / math.log(survivors))
        local low = math.max(0.01, params.t - params.range)
        logits:scale(1 / (low + (params.t + params.range - low) * share ^ params.exponent))
      end,
    },
  },
}
