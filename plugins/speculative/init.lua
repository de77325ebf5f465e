local lacuna <const> = require "lacuna"

return lacuna.plugin {
  decoders = {
    speculative = {
      description = "a smaller model guesses ahead, and one pass of this one checks several guesses",
      params = {
        draft = { type = "string", description = "the smaller model's name; it must share the vocabulary" },
        tokens = { type = "integer", optional = true, min = 1, max = 15, description = "how many to guess; by default what pays" },
        temperature = { type = "number", default = 0.8, min = 0, max = 10 },
        min_p = { type = "number", default = 0.05, min = 0, max = 1 },
        max_tokens = { type = "integer", default = 64, min = 1, unit = "tokens" },
      },
      run = function(session, p)
        local reply <const> = session:generate {
          max_tokens = p.max_tokens,
          speculate = { draft = assert(lacuna.model(p.draft)), tokens = p.tokens },
          sampler = { { "min_p", p = p.min_p }, { "temperature", t = p.temperature }, { "dist" } },
        }
        local usage <const> = reply.usage
        return session, { finish = reply.finish, drafted = usage.drafted, accepted = usage.accepted, passes = usage.passes }
      end,
    },
  },
}
