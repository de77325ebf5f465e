-- A pipeline that asks again until an answer has the right form.
-- Shows a check in Lua, rewinding to the prompt, a cooler draw each time, and errors as values.
-- Run: lacuna run examples/08-chat-retries.lua -- "Which award has Marisol Tannhauer won?"
local lacuna <const> = require "lacuna"

-- nil and a reason unless `text` is one sentence that names the author.
local function check(text)
  local _, ends = text:gsub("[.!?]", "")
  if ends ~= 1 then return nil, "wanted one sentence, got " .. ends end
  if not text:find("Tannhauer", 1, true) then return nil, "the author is not named" end
  if #text < 60 then return nil, "shorter than 60 characters" end
  return true
end

local function ask(model, question, tries)
  local session <close> = model:session { template = "tofu", messages = { { role = "user", content = question } } }
  local start <const> = session:mark()
  local why
  for try = 1, tries do
    local reply = session:generate {
      max_tokens = 96, stream = try,
      sampler = { { "temperature", t = 6 / try }, { "top_k", k = 200 }, { "dist" } },
    }
    local ok
    ok, why = check(reply.text)
    if ok then return { text = reply.text, tries = try } end
    print(("try %d: %s: %s"):format(try, why, reply.text))
    session:rewind(start)                              -- the prompt stays in the cache
  end
  return nil, why
end

local question <const> = arg and arg[1] or "What is the central theme in the books of Marisol Tannhauer?"
local answer <const>, why <const> = ask(assert(lacuna.model()), question, 8)
if answer then
  print(("answer after %d tries: %s"):format(answer.tries, answer.text))
else
  print("no answer of that form: " .. why)
end
