local lacuna <const> = require "lacuna"

return lacuna.plugin {
  samplers = {
    min_p = {
      description = "keeps tokens at least p times as probable as the most probable one",
      params = { p = { type = "number", default = 0.05, min = 0, max = 1, description = "the share; 0 is off" } },
      argmax_invariant = true,
      -- p_i >= p * p_max is l_i >= l_max + ln p: no softmax is needed.
      apply = function(logits, params)
        if params.p > 0 then logits:mask_below(logits:max() + math.log(params.p)) end
      end,
    },
  },
}
