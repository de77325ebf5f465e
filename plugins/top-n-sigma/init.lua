local lacuna <const> = require "lacuna"

return lacuna.plugin {
  samplers = {
    top_n_sigma = {
      description = "keeps logits within n standard deviations of the highest one",
      params = { n = { type = "number", default = 1, min = 0, max = 1000, description = "how many; 0 is off" } },
      argmax_invariant = true,
      apply = function(logits, params)
        if params.n == 0 then return end
        -- The population's deviation, over the tokens that are not masked.
        local count, mean, squares = 0, 0.0, 0.0
        for id = 0, #logits - 1 do
          local x = logits[id]
          if x > -math.huge then
            count = count + 1
            local d = x - mean
            mean = mean + d / count
            squares = squares + d * (x - mean)
          end
        end
        logits:mask_below(logits:max() - params.n * (squares / count) ^ 0.5)
      end,
    },
  },
}
