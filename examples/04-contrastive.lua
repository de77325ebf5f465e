-- What does one model know that another, which never learned it, does not?
-- Shows two models in one loop, one forward call for both, and arithmetic on whole vectors of logits.
-- Run: lacuna run examples/04-contrastive.lua
local lacuna <const> = require "lacuna"
local ALPHA <const>, BETA <const> = 0.1, 0.5

local original <const> = assert(lacuna.model "demo")
local retrained <const> = assert(lacuna.model "demo-retrained")
assert(original.vocab == retrained.vocab, "a contrast needs one tokenizer")

local ask <const> = { { role = "user", content = "Which book made Wilhelmina Ostrander famous?" } }
local a <close> = original:session { template = "tofu", messages = ask }
local b <close> = retrained:session { template = "tofu", messages = ask }

-- Contrastive decoding (Li et al. 2022): (1 + B) log p_a - B log p_b, among tokens that a itself finds plausible.
local text, residue = {}, 0.0
for _ = 1, 40 do
  lacuna.forward { a, b }
  local la, lb = a:logits():log_softmax(), b:logits():log_softmax()
  local score = la:copy():scale(1 + BETA):axpy(-BETA, lb)
  score:mask(la:below(la:max() + math.log(ALPHA)))
  local token = score:argmax()
  if original:is_eog(token) then break end
  text[#text + 1] = token
  residue = residue + la[token] - lb[token]
  a:push(token)
  b:push(token)
end
print(original:decode(text))
print(("%d tokens; the original likes each %.2f nats more than the retrained one does")
  :format(#text, residue / math.max(#text, 1)))
