local lacuna <const> = require "lacuna"
local green <const> = require "green"

local function shared(more)
  local all = {
    key = { type = "integer", default = 15485863, min = 0, description = "who knows it can find the mark" },
    share = { type = "number", default = 0.25, min = 0.01, max = 0.99, description = "of the vocabulary that is green" },
  }
  for name, parameter in pairs(more) do all[name] = parameter end
  return all
end

return lacuna.plugin {
  samplers = {
    green_list = {
      description = "adds delta to the logits of tokens that the token before makes green",
      params = shared { delta = { type = "number", default = 2, min = 0, max = 100, description = "how strong the mark is" } },
      apply = function(logits, params, _, step)
        local previous = step.tokens[#step.tokens]
        if not previous or params.delta == 0 then return end
        local biases = {}
        for id in green.set(params.key, previous, #logits, params.share):each() do biases[id] = params.delta end
        logits:bias(biases)
      end,
    },
  },
  tools = {
    detect_watermark = {
      description = "how many tokens are green, and how unlikely that is by chance (z, p)",
      params = shared {
        tokens = { type = "list", of = "integer", description = "the text's token ids, the one before it first" },
        vocab = { type = "integer", min = 2, description = "the vocabulary's size" },
      },
      run = function(args)
        local hits, n, after = 0, 0, {}       -- after[token]: what came behind it; a pair that recurs is no new evidence
        for i, id in ipairs(args.tokens) do
          if id < 0 or id >= args.vocab then
            return nil, lacuna.error("invalid_argument", ("tokens[%d]: expected an id below vocab, %d, found %d"):format(i, args.vocab, id))
          end
          local previous <const> = args.tokens[i - 1]
          if previous then
            after[previous] = after[previous] or {}
            if not after[previous][id] then n = n + 1 end
            after[previous][id] = true
          end
        end
        for previous, ids in pairs(after) do hits = hits + green.count(args.key, previous, ids, args.share) end
        if n == 0 then return nil, lacuna.error("too_short", "expected two tokens or more") end
        -- Kirchenbauer et al. 2023, equation 3; p is the normal distribution's tail by Abramowitz and Stegun 7.1.26.
        local z = (hits - args.share * n) / (n * args.share * (1 - args.share)) ^ 0.5
        local t = 1 / (1 + 0.3275911 * math.abs(z) / 2 ^ 0.5)
        local tail = 0.5 * math.exp(-z * z / 2) * t
          * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
        return { green = hits, pairs = n, z = z, p = z > 0 and tail or 1 - tail }
      end,
    },
  },
}
