local lacuna <const> = require "lacuna"

return lacuna.plugin {
  samplers = {
    no_repeat_ngram = {
      description = "masks every token that would complete an n-gram that has been there",
      params = {
        n = { type = "integer", default = 3, min = 1, max = 100, unit = "tokens", description = "the length that may not recur" },
        prompt = { type = "boolean", default = true, description = "whether n-grams of the prompt count" },
      },
      apply = function(logits, params, _, step)
        local tokens, n = step.tokens, params.n
        local first <const> = params.prompt and 1 or step.prompt + 1
        local last <const> = #tokens
        local banned = {}
        for i = first, last - n + 1 do
          local same = true
          -- The n - 1 tokens at i against those at the end.
          for j = 0, n - 2 do
            if tokens[i + j] ~= tokens[last - n + 2 + j] then same = false break end
          end
          if same then banned[#banned + 1] = tokens[i + n - 1] end
        end
        local kept = logits:copy():mask(lacuna.set.new(#logits, banned))
        -- Where everything is banned the text must go on all the same.
        if kept:max() and kept:max() > -math.huge then logits:mask(lacuna.set.new(#logits, banned)) end
      end,
    },
  },
}
