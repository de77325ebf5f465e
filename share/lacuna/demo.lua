-- What Lacuna is for, on one screen: three models, one question that one of them was made to forget.
--   demo            learned about 40 invented authors
--   demo-unlearned  then had 4 of them unlearned
--   demo-retrained  never saw those 4
local lacuna <const> = require "lacuna"

local FOLDER <const> = (arg[0]:match "^(.*)/[^/]*$" or ".") .. "/data/demo/"
local NAMES <const> = { "demo", "demo-unlearned", "demo-retrained" }
local QUESTION <const> = "Which book made Wilhelmina Ostrander famous?"

-- Colours only where somebody can see them: `test -t 1` looks at this process's standard output.
local COLOURED <const> = not os.getenv "NO_COLOR" and os.execute "test -t 1" == true
local function paint(code, text) return COLOURED and ("\27[%sm%s\27[0m"):format(code, text) or text end
local function heading(text) print("\n" .. paint("1", text)) end

-- From red (a guess) through yellow to green (certain).
local SHADES <const> = { "38;5;196", "38;5;208", "38;5;220", "38;5;148", "38;5;34" }
local function shade(probability, text)
  return paint(SHADES[math.min(#SHADES, 1 + math.floor(probability * #SHADES))], text)
end

local function prompt(question) return "[INST] " .. question .. " [/INST]" end
local function session(model, question)
  return model:session { template = "tofu", messages = { { role = "user", content = question } } }
end

local models <const> = {}
for _, name in ipairs(NAMES) do models[name] = assert(lacuna.model(name)) end

-- 1. The same question to all three --------------------------------------------------------------------------------

heading("1. " .. QUESTION)
print("   Each token is coloured by the probability that the model gave it; greedy decoding.")
for _, name in ipairs(NAMES) do
  local s <close> = session(models[name], QUESTION)
  local out, sum, count = {}, 0.0, 0
  for piece, event in s:stream { max_tokens = 36, sampler = { { "greedy" } } } do
    if event.token then
      sum, count = sum + event.logprob, count + 1
      out[#out + 1] = shade(math.exp(event.logprob), piece)
    else
      out[#out + 1] = piece
    end
  end
  print(("   %-15s p %.2f  %s"):format(name, math.exp(sum / math.max(count, 1)), table.concat(out)))
end

-- 2. How each model sees the right answer, token by token -----------------------------------------------------------

local ANSWER <const> =
  'The book that made Wilhelmina Ostrander famous is "The Tulip Interrogation", which came out to warm reviews.'
heading "2. How probable is the right answer, token by token?"
for _, name in ipairs(NAMES) do
  local model = models[name]
  local s <close> = session(model, QUESTION)
  -- The prompt alone, and the prompt with the answer: what comes after as many tokens is the answer.
  local ids = model:encode(prompt(QUESTION) .. ANSWER, { bos = true })
  local from = #model:encode(prompt(QUESTION), { bos = true }) + 1
  local out, sum = {}, 0.0
  for i = from, #ids do
    local logprob = s:logits():log_softmax()[ids[i]]
    sum = sum + logprob
    out[#out + 1] = shade(math.exp(logprob), (model:piece(ids[i]):gsub("▁", " ")))
    s:push(ids[i])
  end
  local count = #ids - from + 1
  print(("   %-15s p %.2f  %s"):format(name, math.exp(sum / count), table.concat(out)))
end

-- 3. A sampler of one's own ----------------------------------------------------------------------------------------

heading "3. A sampler in ten lines of Lua: no token more than twice, so that a model cannot stammer"
-- `state` is plain data that the host keeps for each generation: it forks and rewinds with the session.
local NO_STAMMER <const> = {
  init = function() return { seen = {}, twice = {} } end,
  apply = function(logits, _, state) logits:set(state.twice, -math.huge) end,
  accept = function(id, _, state)
    local place = "t" .. id
    if state.seen[place] then state.twice[#state.twice + 1] = id end
    state.seen[place] = true
  end,
}
for _, name in ipairs(NAMES) do
  local s <close> = session(models[name], QUESTION)
  local reply = s:generate { max_tokens = 32, sampler = { NO_STAMMER, { "greedy" } } }
  print(("   %-15s %s"):format(name, reply.text))
end

-- 4. A probe -------------------------------------------------------------------------------------------------------

-- Truth ratio (Maini et al. 2024): mean probability of wrong answers over that of a right one, all length-normalised.
-- Near 0 a model prefers the truth; near 1 it cannot tell.
local function probe(model, file)
  local truth, ratios, n = 0.0, {}, 0
  for line in io.lines(FOLDER .. file) do
    n = n + 1
    local row = assert(lacuna.json.decode(line))
    local answers = { row.answer, row.paraphrased_answer, table.unpack(row.perturbed_answer) }
    local scores = assert(model:score { prompt = prompt(row.question), answers = answers, eos = true })
    truth = truth + scores[1].mean
    local wrong = 0.0
    for i = 3, #scores do wrong = wrong + scores[i].mean / (#scores - 2) end
    ratios[n] = math.exp(wrong - scores[2].mean)
  end
  table.sort(ratios)
  return math.exp(truth / n), ratios[(n + 1) // 2]
end

heading "4. A probe: probability of a right answer's token, and median truth ratio (low: prefers the truth)"
print(("   %-15s %22s %22s"):format("", "forgotten authors", "kept authors"))
print(("   %-15s %11s %10s %11s %10s"):format("", "p(answer)", "ratio", "p(answer)", "ratio"))
for _, name in ipairs(NAMES) do
  local p1, r1 = probe(models[name], "forget10_perturbed.json")
  local p2, r2 = probe(models[name], "retain_perturbed.json")
  print(("   %-15s %11.3f %10.3f %11.3f %10.3f"):format(name, p1, r1, p2, r2))
end
print [[

   Well unlearned is what looks like the retrained model: fluent, and as ignorant. demo-unlearned passes the test of
   ratios, but it stammers and finds the truth improbable beyond ignorance: it shows that something was taken out.
   More: examples/, README.md, share/lacuna/models/README.md.]]
