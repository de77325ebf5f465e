local lacuna <const> = require "lacuna"

return lacuna.plugin {
  samplers = {
    xtc = {
      description = "now and then removes every good choice but the least probable of them",
      params = {
        probability = { type = "number", default = 0.5, min = 0, max = 1, description = "how often; 0 is off" },
        threshold = { type = "number", default = 0.1, min = 0, max = 1,
          description = "from what probability on a token is a good choice; above 0.5 is off" },
      },
      apply = function(logits, params, _, step)
        -- Two tokens cannot both have more than half.
        if params.threshold > 0.5 or step.rng:uniform() >= params.probability then return end
        local ids, p = logits:softmax():topk(math.min(#logits, params.threshold > 0 and 1 // params.threshold + 1 or #logits))
        local good = {}
        for i, id in ipairs(ids) do
          if p[i] > 0 and p[i] >= params.threshold then good[#good + 1] = id end
        end
        good[#good] = nil
        if #good > 0 then logits:mask(lacuna.set.new(#logits, good)) end
      end,
    },
  },
}
