local lacuna <const> = require "lacuna"

return lacuna.plugin {
  samplers = {
    dynamic_temperature = {
      description = "a temperature between t - range and t + range that rises with the entropy",
      params = {
        t = { type = "number", default = 0.8, min = 0, max = 100, description = "the middle" },
        range = { type = "number", default = 0.5, min = 0, max = 100, description = "how far to either side; below 0 the temperature is 0" },
        exponent = { type = "number", default = 1, min = 0.01, max = 100, description = "above 1 keeps it low for longer" },
      },
      argmax_invariant = true,
      apply = function(logits, params)
        local survivors = #logits - #logits:below(-3e38)
        if survivors < 2 then return end
        local share = math.min(1, logits:entropy() / math.log(survivors))
        local low = math.max(0, params.t - params.range)
        local t = low + (params.t + params.range - low) * share ^ params.exponent
        if t >= 1e-6 then return logits:scale(1 / t) end
        -- Colder than that is greedy: the most probable token alone stays.
        logits:keep(lacuna.set.new(#logits, { logits:argmax() }))
      end,
    },
  },
}
