local lacuna <const> = require "lacuna"

-- How many of the last tokens hold a phrase that the last of them completes; nil for none.
local function length_of_phrase(model, ids, phrases)
  local text <const> = model:decode(ids):lower()
  for _, phrase in ipairs(phrases) do
    if text:find(phrase, 1, true) then
      -- It was not there one token ago, so the shortest tail that has it begins where it begins.
      for n = 1, #ids do
        if model:decode(table.move(ids, #ids - n + 1, #ids, 1, {})):lower():find(phrase, 1, true) then return n end
      end
    end
  end
end

local function run(session, p, ctx)
  local model <const>, phrases <const> = ctx.model, {}
  for i, phrase in ipairs(p.phrases) do
    -- The empty phrase is everywhere.
    if phrase == "" then error(("phrases[%d]: expected a text, found none"):format(i)) end
    phrases[i] = phrase:lower()
  end
  local ids, banned, rewinds = {}, {}, 0        -- banned[n]: what may not be the n-th token, as long as those before it stay
  local hooks <const> = {
    on_logits = function(logits)
      local here = banned[#ids + 1]
      if not here then return end
      local kept = logits:copy():mask(lacuna.set.new(#logits, here))
      if kept:max() > -math.huge then logits:mask(lacuna.set.new(#logits, here)) end
    end,
    on_token = function(id)
      ids[#ids + 1] = id
      local n = length_of_phrase(model, ids, phrases)
      if not n or rewinds >= p.tries then return end
      local first <const> = #ids - n + 1
      banned[first] = banned[first] or {}
      table.insert(banned[first], ids[first])
      for i = first, #ids do ids[i] = nil end
      for i in pairs(banned) do
        if i > first then banned[i] = nil end
      end
      rewinds = rewinds + 1
      return { rewind = n - 1 }                 -- the last of the n has not been appended yet
    end,
  }
  local reply = session:generate {
    max_tokens = p.max_tokens, hooks = hooks, sampler = { { "min_p", p = p.min_p }, { "temperature", t = p.temperature }, { "dist" } },
  }
  return session, { finish = reply.finish, rewinds = rewinds }
end

return lacuna.plugin {
  decoders = {
    phrase_ban = {
      description = "draws, and when a phrase is complete goes back to its first token and bans that there",
      params = {
        phrases = { type = "list", of = "string", description = "compared without case" },
        tries = { type = "integer", default = 100, min = 0, description = "how often it goes back before it gives in" },
        max_tokens = { type = "integer", default = 64, min = 1, unit = "tokens" },
        temperature = { type = "number", default = 0.8, min = 0, max = 10 },
        min_p = { type = "number", default = 0.05, min = 0, max = 1 },
      },
      run = run,
    },
  },
}
