local lacuna <const> = require "lacuna"

-- A decoder whose text is that of plain decoding, with guesses as `speculate` takes them.
local function guessing(description, own, speculate)
  local params <const> = {
    tokens = { type = "integer", optional = true, min = 1, max = 15, description = "how many to guess; by default what pays" },
    temperature = { type = "number", default = 0.8, min = 0, max = 10 },
    min_p = { type = "number", default = 0.05, min = 0, max = 1 },
    max_tokens = { type = "integer", default = 64, min = 1, unit = "tokens" },
  }
  for name, param in pairs(own) do params[name] = param end
  return {
    description = description,
    params = params,
    run = function(session, p)
      local reply <const> = session:generate {
        max_tokens = p.max_tokens,
        speculate = speculate(p),
        sampler = { { "min_p", p = p.min_p }, { "temperature", t = p.temperature }, { "dist" } },
      }
      local usage <const> = reply.usage
      return session, { finish = reply.finish, drafted = usage.drafted, accepted = usage.accepted, passes = usage.passes }
    end,
  }
end

return lacuna.plugin {
  decoders = {
    speculative = guessing("a smaller model guesses ahead, and one pass of this one checks several guesses", {
      draft = { type = "string", description = "the smaller model's name; it must share the vocabulary" },
    }, function(p) return { draft = assert(lacuna.model(p.draft)), tokens = p.tokens } end),
    prompt_lookup = guessing("guesses what followed the last tokens where they occurred before", {
      ngram = { type = "integer", default = 3, min = 1, max = 16, unit = "tokens", description = "how many must be the same" },
    }, function(p) return { lookup = p.ngram, tokens = p.tokens } end),
  },
}
