local lacuna <const> = require "lacuna"

-- p_i >= floor is l_i >= ln floor + ln sum(e^l); the best token stays whatever the floor.
local function keep_above(logits, floor)
  logits:mask_below(math.min(math.log(floor) + logits:logsumexp(), (logits:max())))
end

local function floor(default, description)
  return { epsilon = { type = "number", default = default, min = 0, max = 1, description = description } }
end

return lacuna.plugin {
  samplers = {
    epsilon = {
      description = "keeps tokens of probability epsilon or more",
      params = floor(3e-4, "the probability; 0 is off"),
      argmax_invariant = true,
      apply = function(logits, params)
        if params.epsilon > 0 then keep_above(logits, params.epsilon) end
      end,
    },
    eta = {
      description = "keeps tokens of probability min(epsilon, sqrt(epsilon) e^-entropy) or more",
      params = floor(2e-3, "the probability at low entropy; 0 is off"),
      argmax_invariant = true,
      apply = function(logits, params)
        local epsilon = params.epsilon
        if epsilon > 0 then keep_above(logits, math.min(epsilon, epsilon ^ 0.5 * math.exp(-logits:entropy()))) end
      end,
    },
  },
}
