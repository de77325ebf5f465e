local lacuna <const> = require "lacuna"

return lacuna.plugin {
  decoders = {
    prompt_lookup = {
      description = "guesses what followed the last tokens where they occurred before",
      params = {
        ngram = { type = "integer", default = 3, min = 1, max = 16, unit = "tokens", description = "how many must be the same" },
        tokens = { type = "integer", optional = true, min = 1, max = 15, description = "how many to guess; by default what pays" },
        temperature = { type = "number", default = 0.8, min = 0, max = 10 },
        min_p = { type = "number", default = 0.05, min = 0, max = 1 },
        max_tokens = { type = "integer", default = 64, min = 1, unit = "tokens" },
      },
      run = function(session, p)
        local reply <const> = session:generate {
          max_tokens = p.max_tokens,
          speculate = { lookup = p.ngram, tokens = p.tokens },
          sampler = { { "min_p", p = p.min_p }, { "temperature", t = p.temperature }, { "dist" } },
        }
        local usage <const> = reply.usage
        return session, { finish = reply.finish, drafted = usage.drafted, accepted = usage.accepted, passes = usage.passes }
      end,
    },
  },
}
