local lacuna <const> = require "lacuna"
local LOG2 <const> = math.log(2)

local function params(more)
  local all = {
    tau = { type = "number", default = 5, min = 0, max = 100, unit = "bits", description = "the surprise aimed at" },
    eta = { type = "number", default = 0.1, min = 0, max = 10, description = "how fast the loop corrects itself" },
  }
  for name, parameter in pairs(more or {}) do all[name] = parameter end
  return all
end

-- `mu` is the greatest surprise that is let through; it follows what was drawn.
local function init(p) return { mu = 2 * p.tau } end
local function accept(id, p, state)
  -- A token that this stage did not draw says nothing about it.
  if state.drawn == id then state.mu = state.mu - p.eta * (state.surprise - p.tau) end
  state.drawn, state.surprise = nil, nil
end

local function draw(logits, kept, state, step)
  local bits = (logits:logsumexp()) / LOG2
  local id = kept:sample(step.rng)
  state.drawn, state.surprise = id, bits - logits[id] / LOG2
  return id
end

-- Least squares for s in p(i) / p(i + 1) = ((i + 1) / i)^s (Basu et al. 2021, section 4).
local function zipf_exponent(sorted)
  local products, squares = 0.0, 0.0
  for i = 1, #sorted - 1 do
    if sorted[i + 1] == -math.huge then break end
    local t = math.log((i + 1) / i)
    products = products + t * (sorted[i] - sorted[i + 1])
    squares = squares + t * t
  end
  return squares > 0 and products / squares or math.huge
end

local function count(s, mu, size)
  if s <= 0 then return size end
  if s == math.huge then return 1 end
  local ratio = math.abs(s - 1) < 1e-9 and 1 / math.log(size) or (s - 1) / (1 - size ^ (1 - s))
  local k = (ratio * 2 ^ mu) ^ (1 / s)
  return k >= size and size or math.max(1, math.floor(k + 0.5))
end

return lacuna.plugin {
  samplers = {
    mirostat = {
      description = "Mirostat 1: fits Zipf's law and draws from the k tokens whose surprise is mu",
      params = params { m = { type = "integer", default = 100, min = 2, max = 1000000,
        description = "how many of the most probable tokens the fit uses" } },
      init = init,
      accept = accept,
      pick = function(logits, p, state, step)
        local _, sorted = logits:topk(math.min(p.m, #logits))
        local k = count(zipf_exponent(sorted), state.mu, #logits)
        local ids = logits:topk(math.min(k, #logits))
        return draw(logits, logits:copy():keep(lacuna.set.new(#logits, ids)), state, step)
      end,
    },
    mirostat_v2 = {
      description = "Mirostat 2: draws from the tokens whose surprise is mu or less",
      params = params(),
      init = init,
      accept = accept,
      pick = function(logits, _, state, step)
        -- -log2 p <= mu is l >= z - mu ln 2; the best token stays.
        local cut = math.min(logits:logsumexp() - state.mu * LOG2, (logits:max()))
        return draw(logits, logits:copy():mask_below(cut), state, step)
      end,
    },
  },
}
