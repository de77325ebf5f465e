local lacuna <const> = require "lacuna"

return lacuna.plugin {
  samplers = {
    top_a = {
      description = "keeps tokens of probability a * p_max^2 or more",
      params = { a = { type = "number", default = 0.2, min = 0, max = 1, description = "the factor; 0 is off" } },
      argmax_invariant = true,
      -- p_i >= a p_max^2, with p = e^(l - z), is l_i >= ln a + 2 l_max - z.
      apply = function(logits, params)
        if params.a > 0 then logits:mask_below(math.log(params.a) + 2 * logits:max() - logits:logsumexp()) end
      end,
    },
  },
}
