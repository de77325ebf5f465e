local lacuna <const> = require "lacuna"
local lexer <const> = require "lexer"
local parser <const> = require "parser"
local evaluator <const> = require "evaluator"
local filters <const> = require "filters"
local tests <const> = require "tests"
local text <const> = require "text"
local values <const> = require "values"

-- Roles that templates build control tokens from ("<|" + role + "|>"); any other is text like a message's.
local ROLES <const> = {}
for role in ("system user assistant tool developer function ipython model"):gmatch "%a+" do ROLES[role] = true end

-- The last template and its tree: a conversation renders one again and again.
local known_source, known_tree

local function tree(source)
  if source ~= known_source then
    known_source, known_tree = source, parser.run(lexer.run(source), filters, tests)
  end
  return known_tree
end

local function variables(messages, opts)
  local list = values.list {}
  for i, message in ipairs(messages) do
    list[i] = values.from(message)
    if ROLES[message.role] then values.put(list[i], "role", message.role) end
  end
  local all <const> = {
    messages = list, tools = values.NONE, documents = values.NONE, add_generation_prompt = opts.add_generation_prompt ~= false,
  }
  for _, name in ipairs { "bos_token", "eos_token", "unk_token", "pad_token" } do all[name] = opts[name] end
  return all
end

return lacuna.plugin {
  templates = {
    jinja = {
      description = "the checkpoint's own chat template",
      checkpoint = true,
      render = function(messages, opts)
        if not opts.chat_template then return nil, lacuna.error("unsupported", "the checkpoint has no chat template") end
        return text.segments(evaluator.run(tree(opts.chat_template), variables(messages, opts), opts.now))
      end,
    },
  },
}
