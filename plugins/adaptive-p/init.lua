local lacuna <const> = require "lacuna"

-- The published constants: how wide the preference is, the logit at its top, how steeply it falls.
local WIDTH <const>, PEAK <const>, SHARPNESS <const> = 0.3, 5, 10

return lacuna.plugin {
  samplers = {
    adaptive_p = {
      description = "draws so that the probability of the tokens drawn stays near a target",
      params = {
        target = { type = "number", default = 0.5, min = 0, max = 1, description = "the mean probability of what is drawn" },
        decay = { type = "number", default = 0.9, min = 0, max = 0.99,
          description = "how much of a token's weight in the mean is left one token later" },
      },
      -- As if all tokens before had been on target.
      init = function(p) return { sum = p.target / (1 - p.decay), weight = 1 / (1 - p.decay) } end,
      pick = function(logits, p, state, step)
        local probs <const>, bent <const> = logits:softmax(), logits:copy()
        -- The target moves against the mean of what was drawn, which so stays where it was asked for.
        local wanted <const> = math.min(math.max(2 * p.target - state.sum / state.weight, 0), 1)
        for id = 0, #logits - 1 do
          if logits[id] > -math.huge then
            local distance <const> = math.abs(probs[id] - wanted) / WIDTH
            bent[id] = PEAK - SHARPNESS * distance * distance / (1 + distance)
          end
        end
        local id <const> = bent:sample(step.rng)
        state.drawn, state.prob = id, probs[id]
        return id
      end,
      accept = function(id, p, state)
        -- A token that this stage did not draw says nothing about it.
        if state.drawn == id then
          state.sum, state.weight = state.prob + p.decay * state.sum, 1 + p.decay * state.weight
        end
        state.drawn, state.prob = nil, nil
      end,
    },
  },
}
