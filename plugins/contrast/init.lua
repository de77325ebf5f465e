local lacuna <const> = require "lacuna"

-- Goes on with `session` greedily by a score of two sessions' log-probabilities; both take every token.
local function decode(session, other, p, score)
  local finish = "length"
  local room <const> = math.min(session.model.info.context - #session, other.model.info.context - #other)
  for _ = 1, math.min(p.max_tokens, room) do
    lacuna.forward { session, other }
    local own, theirs = session:logits():log_softmax(), other:logits():log_softmax()
    local scores = score(own, theirs)
    -- Only what the session itself finds plausible (Li et al. 2023, equation 3).
    scores:mask(own:below(own:max() + math.log(p.alpha)))
    local id = scores:argmax()
    if session.model:is_eog(id) then finish = "eos" break end
    session:push(id)
    other:push(id)
  end
  return session, { finish = finish }
end

local function params(more)
  local all = {
    alpha = { type = "number", default = 0.1, min = 1e-9, max = 1, description = "share of the best probability that is plausible" },
    max_tokens = { type = "integer", default = 64, min = 1, unit = "tokens" },
  }
  for name, parameter in pairs(more) do all[name] = parameter end
  return all
end

return lacuna.plugin {
  decoders = {
    contrast = {
      description = "prefers what this model finds more probable than another one does",
      params = params {
        amateur = { type = "string", description = "the other model's name" },
        beta = { type = "number", default = 0.5, min = 0, max = 100, description = "how much the other one counts" },
      },
      run = function(session, p)
        local amateur <const> = assert(lacuna.model(p.amateur))
        assert(amateur.vocab == session.model.vocab, "a contrast needs two models with one tokenizer")
        local other <close> = amateur:session { tokens = session:tokens() }
        return decode(session, other, p, function(own, theirs) return own:copy():scale(1 + p.beta):axpy(-p.beta, theirs) end)
      end,
    },
    guidance = {
      description = "pushes away from what the model says without the prompt's condition",
      params = params {
        scale = { type = "number", default = 1.5, min = 0, max = 100, description = "1 changes nothing" },
        negative = { type = "string", default = "", description = "the prompt without the condition; empty: its last token alone" },
      },
      run = function(session, p)
        local without <const> = p.negative ~= "" and { text = p.negative } or { tokens = session:tokens(-1) }
        local other <close> = session.model:session(without)
        -- log p(x) + scale (log p(x | c) - log p(x)), Sanchez et al. 2023, equation 7.
        return decode(session, other, p, function(own, theirs) return own:copy():scale(p.scale):axpy(1 - p.scale, theirs) end)
      end,
    },
  },
}
