local lacuna <const> = require "lacuna"

local function open(ctx, input, content)
  return ctx.model:session { messages = { { role = "user", content = content } }, template = input.template }
end

local function say(ctx, input, content)
  local session <close> = open(ctx, input, content)
  local reply = session:generate { max_tokens = input.max_tokens, sampler = { { "greedy" } } }
  return (reply.text:gsub("^%s+", ""):gsub("%s+$", ""))
end

-- Pieces of at most `limit` tokens, cut at paragraphs where there are some, else at sentences, else at words, else
-- anywhere: Chinese has no blanks.
local function pieces(model, text, limit)
  local list, current = {}, ""
  local function add(part)
    if #model:encode(current .. part) <= limit then
      current = current .. part
    else
      if current ~= "" then list[#list + 1] = current end
      current = part
    end
  end
  local function split(part, patterns)
    if #model:encode(part) <= limit or #patterns == 0 then return add(part) end
    local rest = table.move(patterns, 2, #patterns, 1, {})
    for inner in part:gmatch(patterns[1]) do split(inner, rest) end
  end
  split(text, { "[^\n]*\n*", "[^.!?]*[.!?]*%s*", "%S+%s*", utf8.charpattern })
  if current:find "%S" then list[#list + 1] = current end
  return list
end

local function summarize(input, ctx)
  -- What stands around a piece takes room as well; tokens at its borders may be others than those of the piece alone.
  local frame <close> = open(ctx, input, input.instruction .. "\n\n")
  local limit <const> = math.min(input.piece_tokens, ctx.model.info.context - input.max_tokens - #frame - 8)
  if limit < 16 then
    return nil, lacuna.error("invalid_argument",
      ("the instruction with its template, %d tokens, and max_tokens, %d, leave no room for the text in this model's context of %d")
        :format(#frame, input.max_tokens, ctx.model.info.context))
  end
  local text, rounds, total = input.text, 0, 0
  repeat
    local parts = pieces(ctx.model, text, limit)
    if #parts == 0 then return nil, lacuna.error("invalid_argument", "the text is empty") end
    local said = {}
    for i, part in ipairs(parts) do said[i] = say(ctx, input, input.instruction .. "\n\n" .. part) end
    rounds, total = rounds + 1, total + #parts
    local before = #text
    text = table.concat(said, "\n\n")
    -- Summaries that do not shrink would go round for ever.
  until #said == 1 or rounds == input.rounds or #text >= before
  return { summary = text, rounds = rounds, pieces = total }
end

local function critique(input, ctx)
  local answer, notes = say(ctx, input, input.question), {}
  for round = 1, input.rounds do
    local frame <const> = ("Question: %s\n\nAnswer: %s\n\n"):format(input.question, answer)
    notes[round] = say(ctx, input, frame .. "What is wrong or missing in this answer? Be brief.")
    answer = say(ctx, input, frame .. "Critique: " .. notes[round] .. "\n\nWrite a better answer to the question.")
  end
  return { answer = answer, critiques = notes }
end

local function shared(more)
  local all = {
    template = { type = "string", optional = true, description = "the chat template; by default the checkpoint's" },
    max_tokens = { type = "integer", default = 160, min = 1, unit = "tokens", description = "of each reply" },
  }
  for name, parameter in pairs(more) do all[name] = parameter end
  return all
end

return lacuna.plugin {
  pipelines = {
    summarize = {
      description = "summarizes a text of any length: pieces first, then their summaries, until one is left",
      input = shared {
        text = { type = "string", description = "what to summarize" },
        instruction = { type = "string", default = "Summarize the following text in two or three sentences.", description = "what stands in front of each piece" },
        piece_tokens = { type = "integer", default = 1024, min = 16, unit = "tokens" },
        rounds = { type = "integer", default = 4, min = 1, max = 20 },
      },
      output = { summary = { type = "string" }, rounds = { type = "integer" }, pieces = { type = "integer" } },
      run = summarize,
    },
    critique = {
      description = "answers, says what is wrong with the answer, and answers again",
      input = shared {
        question = { type = "string", description = "what to ask" },
        rounds = { type = "integer", default = 1, min = 1, max = 10 },
      },
      output = { answer = { type = "string" }, critiques = { type = "list" } },
      run = critique,
    },
  },
}
