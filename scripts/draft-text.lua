-- What a model says about many things, a line an answer: {"question": its number, "prompt": how many of the ids are the prompt's,
-- "ids": those of prompt and answer}. The text from which scripts/draft-model teaches a smaller one to guess.
--   lacuna run scripts/draft-text.lua --model smollm2 -- OUT.jsonl [SAMPLES]
--   lacuna run scripts/draft-text.lua --model M -- OUT.jsonl SAMPLES TEMPLATE QUESTIONS.json ...     questions of TOFU's layout
-- The first sample of given questions is greedy.
local lacuna <const> = require "lacuna"
local m <const> = assert(lacuna.model())
local path <const>, samples <const>, template <const> = assert(arg[1], "expected a file to write"), tonumber(arg[2] or 1), arg[3]

local THINGS <const> = {
  "rain", "the moon", "volcanoes", "whales", "bread", "bicycles", "the ocean", "trees", "bees", "music", "chess", "glass", "salt",
  "libraries", "trains", "the heart", "sleep", "winter", "deserts", "gravity", "light", "computers", "maps", "clocks", "rivers",
  "friendship", "honesty", "cooking", "football", "painting", "the brain", "vaccines", "electricity", "magnets", "earthquakes",
  "dinosaurs", "the Roman Empire", "castles", "farming", "gardens", "coffee", "tea", "chocolate", "cats", "dogs", "horses", "birds",
  "butterflies", "spiders", "snow", "thunder", "rainbows", "the sun", "stars", "planets", "rockets", "aeroplanes", "ships",
  "bridges", "lighthouses", "schools", "teachers", "doctors", "hospitals", "money", "banks", "markets", "cities", "villages",
  "mountains", "forests", "islands", "sharks", "frogs", "elephants", "lions", "penguins", "robots", "telephones", "letters",
  "newspapers", "poetry", "novels", "theatre", "films", "dance", "photography", "mathematics", "numbers", "languages", "history",
  "democracy", "laws", "medicine", "exercise", "water", "air", "fire", "gold", "iron", "plastic", "recycling", "climate",
}
local TASKS <const> = {
  "What is special about %s?", "Explain in a few sentences how people use %s.", "Write a short poem about %s.",
  "Write a short story about a child and %s.", "List five facts about %s.", "Why do people care about %s?",
  "Describe %s to somebody who has never heard of it.", "Give me three tips that have to do with %s.",
  "What is the history of %s?", "Write a letter to a friend about %s.",
}
-- Behind an answer, with the answer in view.
local EDITS <const> = {
  "Summarise this in two sentences.", "Copy that text, and write it as if it happened long ago.",
  "Give that text back with every mistake in spelling corrected.",
}

local questions <const> = {}
for i = 4, #arg do
  for line in io.lines(arg[i]) do questions[#questions + 1] = assert(lacuna.json.decode(line)).question end
end
if not template then
  for _, task in ipairs(TASKS) do
    for _, thing in ipairs(THINGS) do questions[#questions + 1] = task:format(thing) end
  end
end

local items <const> = {}
for sample = 1, samples do
  for number, question in ipairs(questions) do
    items[#items + 1] = { number = number, question = question, stream = sample, edit = not template and number % 4 == 0 }
  end
end

local out <close> = assert(io.open(path, "w"))
local drawn <const> = { { "temperature", t = 0.8 }, { "top_p", p = 0.95 }, { "dist" } }
local done, tokens = 0, 0

local function answer(item, messages)
  local s <close> = m:session { messages = messages, template = template }
  local prompt <const> = #s
  local sampler <const> = template and item.stream == 1 and { { "greedy" } } or drawn
  local reply <const> = s:generate { max_tokens = 160, sampler = sampler, stream = item.stream }
  assert(out:write(lacuna.json.encode { question = item.number, prompt = prompt, ids = s:tokens() }, "\n"))
  tokens = tokens + #s
  return reply.text
end

local _, errors <const> = lacuna.parallel(items, function(item)
  local asked <const> = { role = "user", content = item.question }
  local text <const> = answer(item, { asked })
  if item.edit then
    local edit <const> = EDITS[item.number // 4 % #EDITS + 1]
    answer(item, { asked, { role = "assistant", content = text }, { role = "user", content = edit } })
  end
  done = done + 1
  if done % 100 == 0 then io.stderr:write(done, " of ", #items, ", ", tokens, " tokens\n") end
end, { max = 16 })
for index, err in pairs(errors) do error(items[index].question .. ": " .. tostring(err)) end
