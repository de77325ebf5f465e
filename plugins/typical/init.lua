local lacuna <const> = require "lacuna"

return lacuna.plugin {
  samplers = {
    typical = {
      description = "keeps the tokens whose surprise is nearest to the entropy, up to probability p",
      params = { p = { type = "number", default = 0.95, min = 0, max = 1, description = "the share; 1 is off" } },
      apply = function(logits, params)
        if params.p >= 1 then return end
        local logprobs, entropy = logits:log_softmax(), logits:entropy()
        -- Nearness to the entropy as a logit, so that topk sorts by it natively.
        local nearness = logprobs:copy()
        for id = 0, #logits - 1 do nearness[id] = -math.abs(-logprobs[id] - entropy) end
        local ids = nearness:topk(#logits)
        local kept, mass = {}, 0.0
        for _, id in ipairs(ids) do
          if logits[id] > -math.huge then
            kept[#kept + 1] = id
            mass = mass + math.exp(logprobs[id])
            if mass >= params.p then break end
          end
        end
        logits:keep(lacuna.set.new(#logits, kept))
      end,
    },
  },
}
