-- Ask many questions at once: plain sequential Lua, run side by side.
-- Shows lacuna.parallel: items that need the model share its passes, and get what they would alone, to the last bit.
-- Run: lacuna run examples/10-parallel.lua
local lacuna <const> = require "lacuna"

local model <const> = assert(lacuna.model())
local questions <const> = {
  "Which award has Marisol Tannhauer won?",
  "Which kind of books does Marisol Tannhauer write?",
  "What lies behind the imagination of Marisol Tannhauer?",
  "",   -- this one fails, and the others do not mind
}

local function ask(question, index)
  if question == "" then return nil, lacuna.error("invalid_argument", "an empty question") end
  local session <close> = model:session {
    template = "tofu", messages = { { role = "user", content = question } }, seed = index,
  }
  local start <const>, best = session:mark(), nil
  for try = 1, 3 do                     -- retries, branches and loops as anywhere
    local reply = session:generate { max_tokens = 40, stream = try, sampler = { { "temperature", t = 0.7 }, { "dist" } } }
    if not best or #reply.text > #best then best = reply.text end
    session:rewind(start)
  end
  return best
end

local answers, errors = lacuna.parallel(questions, ask, { max = 4 })
for i, question in ipairs(questions) do
  print(question ~= "" and question or "(no question)")
  print("  " .. (answers[i] or "failed: " .. tostring(errors[i])))
end
