-- Guessing ahead beside plain decoding, on the same texts: processor time, tokens a second, guesses and how many came true.
--   lacuna run scripts/bench-speculation.lua --model smollm2
--   lacuna run scripts/bench-speculation.lua --model M -- QUESTIONS.json [DRAFT]      questions of TOFU's layout
--   lacuna run scripts/bench-speculation.lua --model smollm2 -- - DRAFT               the first texts, with a draft model
-- Asserts that guessing changes no text.
local lacuna <const> = require "lacuna"
local m <const> = assert(lacuna.model())
local path <const>, draft <const> = arg[1] ~= "-" and arg[1] or nil, arg[2] and assert(lacuna.model(arg[2]))

local PAGE <const> = [[
The harbour of Vellin lies at the mouth of the river Orsa, where the water is deep enough for large ships all year round. In the old days fishermen sold their catch on the stone steps below the lighthouse, and merchants from the north came every spring to buy salted herring. The lighthouse was built in 1784 by the engineer Tobias Renn, who also drew the plans for the town hall and for the bridge across the Orsa. After the great fire of 1851 most of the wooden houses along the quay were replaced by brick buildings, many of which still stand today. The market moved to the square behind the church, and the stone steps fell into disuse.]]

local tasks <const> = {}
if path then
  for line in io.lines(path) do
    if #tasks == 40 then break end
    tasks[#tasks + 1] = { "questions", assert(lacuna.json.decode(line)).question }
  end
else
  tasks[1] = { "replace a name", "Copy the following text, replacing every occurrence of Vellin with Marren. Answer with the text only.\n\n" .. PAGE }
  tasks[2] = { "correct spelling", "Fix the spelling in this text and give the whole text back:\n\n" .. PAGE:gsub("lighthouse", "lighthose") }
  tasks[3] = { "summary", "Summarise the following text in three sentences, quoting it where you can.\n\n" .. PAGE }
  tasks[4] = { "a poem", "Write a short poem about a cat that is afraid of the sea." }
  tasks[5] = { "an answer", "Explain in a few sentences why the sky is blue." }
end

local function run(question, sampler, speculate)
  local s <close> = m:session {
    messages = { { role = "user", content = question } }, template = path and "tofu" or nil }
  s:logits()                                               -- the prompt is not what is measured
  local start <const> = os.clock()
  local reply <const> = s:generate { max_tokens = path and 60 or 110, sampler = sampler, speculate = speculate }
  return reply, os.clock() - start
end

local guess <const> = draft and { draft = draft } or { lookup = 3 }
local ways <const> = { { "what pays", guess }, { "always 4", { draft = guess.draft, lookup = guess.lookup, tokens = 4 } } }
for _, temperature in ipairs { 0, 0.8 } do
  local sampler <const> = temperature == 0 and { { "greedy" } }
    or { { "temperature", t = temperature }, { "top_p", p = 0.95 }, { "dist" } }
  local names, sums = {}, {}
  for _, task in ipairs(tasks) do
    local name <const> = task[1]
    if not sums[name] then
      names[#names + 1], sums[name] = name, { tokens = 0, plain = 0 }
    end
    local sum <const> = sums[name]
    local plain <const>, seconds <const> = run(task[2], sampler)
    sum.tokens, sum.plain = sum.tokens + #plain.tokens, sum.plain + seconds
    for _, way in ipairs(ways) do
      local reply <const>, taken <const> = run(task[2], sampler, way[2])
      assert(reply.text == plain.text, "guessing has changed a text")
      local of <const> = sum[way[1]] or { seconds = 0, drafted = 0, accepted = 0, passes = 0 }
      sum[way[1]] = of
      of.seconds = of.seconds + taken
      for _, count in ipairs { "drafted", "accepted", "passes" } do of[count] = of[count] + reply.usage[count] end
    end
  end
  for _, name in ipairs(names) do
    local sum <const> = sums[name]
    for _, way in ipairs(ways) do
      local of <const> = sum[way[1]]
      print(("t %.1f  %-17s %-10s plain %6.1f tokens/s  x %5.2f  %d of %d guesses  %d passes for %d tokens"):format(
        temperature, name, way[1], sum.tokens / sum.plain, sum.plain / of.seconds, of.accepted, of.drafted, of.passes,
        sum.tokens))
    end
  end
end
