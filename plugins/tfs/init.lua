local lacuna <const> = require "lacuna"

return lacuna.plugin {
  samplers = {
    tfs = {
      description = "cuts the tail where the second derivative of the sorted probabilities has spent share z",
      params = { z = { type = "number", default = 0.95, min = 0, max = 1, description = "the share; 1 is off" } },
      argmax_invariant = true,
      apply = function(logits, params)
        if params.z >= 1 then return end
        -- What is masked is no part of the curve.
        local survivors <const> = #logits - #logits:below(-3e38)
        if survivors <= 2 then return end
        local ids, p = logits:softmax():topk(survivors)
        -- |p''| at each place, and its sum; the tail of zeros of a large vocabulary adds nothing.
        local bends, total = {}, 0.0
        for i = 1, survivors - 2 do
          if p[i] == 0 then break end
          bends[i] = math.abs(p[i] - 2 * p[i + 1] + p[i + 2])
          total = total + bends[i]
        end
        if total == 0 then return end
        local sum, keep = 0.0, #bends
        for i, bend in ipairs(bends) do
          sum = sum + bend / total
          if sum > params.z then keep = i break end
        end
        logits:keep(lacuna.set.new(#logits, table.move(ids, 1, keep, 1, {})))
      end,
    },
  },
}
