local lacuna <const> = require "lacuna"

-- `n` generations from one prompt, each in a fork with random numbers of its own. A mean counts the end as well, or an
-- answer that ends at once would be worth more than any other.
local function tries(session, p)
  local all = {}
  for i = 1, p.n do
    local fork <const>, sum, drawn = session:fork(), 0.0, 0
    local reply <const> = fork:generate {
      max_tokens = p.max_tokens, stream = i, sampler = { { "min_p", p = p.min_p }, { "temperature", t = p.temperature }, { "dist" } },
      hooks = { on_token = function(_, ctx) sum, drawn = sum + ctx.logprob, drawn + 1 end },
    }
    all[i] = { session = fork, text = reply.text, mean = drawn > 0 and sum / drawn or -math.huge, finish = reply.finish }
  end
  return all
end

local function params(more)
  local all = {
    n = { type = "integer", default = 4, min = 1, max = 64, unit = "tries" },
    max_tokens = { type = "integer", default = 64, min = 1, unit = "tokens" },
    temperature = { type = "number", default = 1.0, min = 0, max = 10 },
    min_p = { type = "number", default = 0.05, min = 0, max = 1 },
  }
  for name, parameter in pairs(more or {}) do all[name] = parameter end
  return all
end

local function best(list)
  local winner
  for _, try in ipairs(list) do
    if not winner or try.mean > winner.mean then winner = try end
  end
  return winner
end

-- What a text answers: the last match of a pattern, or the text without case, and without marks and blanks at its ends.
local function answer(text, pattern)
  local found
  if pattern ~= "" then
    for match in text:gmatch(pattern) do found = match end
    return found
  end
  local body <const> = text:lower():gsub("%s+", " "):gsub("[%p ]+$", "")
  -- A number's sign and point are no marks.
  return body:sub(body:match "^[%p ]-()[-+]?%.?%d" or body:match "^[%p ]*()")
end

return lacuna.plugin {
  decoders = {
    best_of_n = {
      description = "draws n answers and keeps the one of the highest mean log-probability",
      params = params(),
      run = function(session, p)
        local all = tries(session, p)
        local winner, means = best(all), {}
        -- No room: nothing was drawn that could have a mean.
        if winner.mean == -math.huge then return winner.session, { finish = winner.finish } end
        for i, try in ipairs(all) do means[i] = try.mean end
        return winner.session, { finish = winner.finish, score = winner.mean, scores = means }
      end,
    },
    self_consistency = {
      description = "draws n answers and keeps one that says what most of them say",
      params = params { pattern = { type = "string", default = "", description = "a Lua pattern whose last match is the answer; empty: the whole text" } },
      run = function(session, p)
        -- Before anything is drawn: a pattern is read as far as it matches, and it matches most of itself.
        local ok <const>, why = pcall(string.find, p.pattern, p.pattern)
        if not ok then return nil, lacuna.error("invalid_argument", "pattern: " .. why) end
        local votes, groups = {}, {}
        for _, try in ipairs(tries(session, p)) do
          local said = answer(try.text, p.pattern)
          if said then
            if not groups[said] then
              groups[said] = {}
              votes[#votes + 1] = said
            end
            table.insert(groups[said], try)
          end
        end
        if #votes == 0 then return nil, lacuna.error("no_answer", "no try matched the pattern") end
        local winner = votes[1]
        for _, said in ipairs(votes) do
          if #groups[said] > #groups[winner] then winner = said end
        end
        local try = best(groups[winner])
        return try.session, { finish = try.finish, answer = winner, votes = #groups[winner], of = p.n }
      end,
    },
  },
}
