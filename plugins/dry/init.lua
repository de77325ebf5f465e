local lacuna <const> = require "lacuna"

-- How many tokens before position i match the end of the text: the obvious loop, bounded by `limit`.
local function match_length(tokens, i, limit)
  local n, last = 0, #tokens
  while n < limit and i - n >= 1 and tokens[i - n] == tokens[last - n] do n = n + 1 end
  return n
end

return lacuna.plugin {
  samplers = {
    dry = {
      description = "a token that continues a repetition of n tokens loses multiplier * base^(n - allowed_length)",
      params = {
        multiplier = { type = "number", default = 0.8, min = 0, max = 1000, description = "0 is off" },
        base = { type = "number", default = 1.75, min = 1, max = 100 },
        allowed_length = { type = "integer", default = 2, min = 1, max = 1000, unit = "tokens",
          description = "shorter matches cost nothing" },
        breakers = { type = "list", of = "integer", default = {}, description = "token ids that no match reaches across" },
      },
      apply = function(logits, params, _, step)
        local tokens = step.tokens
        if params.multiplier == 0 or #tokens <= params.allowed_length then return end
        local breaks = {}
        for _, id in ipairs(params.breakers) do breaks[id] = true end
        local limit = 0
        while limit < #tokens and not breaks[tokens[#tokens - limit]] do limit = limit + 1 end

        local longest = {}
        for i = 1, #tokens - 1 do
          local follower = tokens[i + 1]
          local n = match_length(tokens, i, limit)
          if n >= params.allowed_length and not breaks[follower] then
            longest[follower] = math.max(longest[follower] or 0, n)
          end
        end
        for id, n in pairs(longest) do
          logits[id] = logits[id] - math.min(params.multiplier * params.base ^ (n - params.allowed_length), 1e9)
        end
      end,
    },
  },
}
