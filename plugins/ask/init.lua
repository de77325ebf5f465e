local lacuna <const> = require "lacuna"

-- nil and a reason unless `text` is of the form that was asked for.
local function check(text, input)
  local body = text:gsub("^%s+", ""):gsub("%s+$", "")
  if body == "" then return nil, "empty" end
  if input.sentences then
    local _, ends = body:gsub("[.!?]+%f[%s\0]", "")
    if ends ~= input.sentences then return nil, ("wanted %d sentences, got %d"):format(input.sentences, ends) end
  end
  if input.pattern and not body:find(input.pattern) then return nil, ("does not match %q"):format(input.pattern) end
  return body
end

return lacuna.plugin {
  pipelines = {
    ask = {
      description = "asks a question and draws again, each time a little hotter, until the answer passes the check",
      input = {
        question = { type = "string", description = "what to ask" },
        system = { type = "string", optional = true, description = "a system message in front" },
        template = { type = "string", optional = true, description = "the chat template; by default the checkpoint's" },
        sentences = { type = "integer", optional = true, min = 1, description = "how many the answer must have" },
        pattern = { type = "string", optional = true, description = "a Lua pattern that the answer must match" },
        tries = { type = "integer", default = 3, min = 1, max = 100 },
        max_tokens = { type = "integer", default = 128, min = 1, unit = "tokens" },
      },
      output = { answer = { type = "string" }, tries = { type = "integer" } },
      run = function(input, ctx)
        if input.pattern then
          -- Before anything is drawn: a pattern is read as far as it matches, and it matches most of itself.
          local ok <const>, why = pcall(string.find, input.pattern, input.pattern)
          if not ok then return nil, lacuna.error("invalid_argument", "pattern: " .. why) end
        end
        local messages = { { role = "user", content = input.question } }
        if input.system then table.insert(messages, 1, { role = "system", content = input.system }) end
        local session <close> = ctx.model:session { messages = messages, template = input.template }
        local start <const>, why = session:mark(), nil
        for try = 1, input.tries do
          local reply = session:generate {
            max_tokens = input.max_tokens, stream = try,
            sampler = { { "min_p", p = 0.05 }, { "temperature", t = 0.3 * (try - 1) }, { "dist" } },
          }
          local answer
          answer, why = check(reply.text, input)
          if answer then return { answer = answer, tries = try } end
          lacuna.log.info("asking again", { try = try, why = why })
          session:rewind(start)                    -- the prompt stays in the cache
        end
        return nil, lacuna.error("invalid_output", ("no answer of that form in %d tries: %s"):format(input.tries, why))
      end,
    },
  },
}
