local lacuna <const> = require "lacuna"

-- Segments: what the template writes may hold control tokens, what people wrote never does.
local function markup(text) return { text = text, special = true } end
local function content(text) return { text = text } end

-- System text and turns apart; roles in turn, the user first and last.
local function turns(messages, name)
  local system, rest = nil, {}
  for i, message in ipairs(messages) do
    if i == 1 and message.role == "system" then
      system = message.content
    else
      local expected = #rest % 2 == 0 and "user" or "assistant"
      if message.role ~= expected then
        error(("%s: expected the role %s at message %d, found %s"):format(name, expected, i, message.role), 0)
      end
      rest[#rest + 1] = message
    end
  end
  return system, rest
end

local ZEPHYR_ROLES <const> = { system = true, user = true, assistant = true }

return lacuna.plugin {
  templates = {
    alpaca = {
      description = "### Instruction: ... ### Response:",
      stop = { "### Instruction:" },
      render = function(messages)
        local system, rest = turns(messages, "alpaca")
        local out = {
          content(system or "Below is an instruction that describes a task. "
            .. "Write a response that appropriately completes the request."),
          markup "\n\n",
        }
        for _, message in ipairs(rest) do
          if message.role == "user" then
            table.move({ markup "### Instruction:\n", content(message.content), markup "\n\n### Response:\n" }, 1, 3, #out + 1, out)
          else
            table.move({ content(message.content), markup "\n\n" }, 1, 2, #out + 1, out)
          end
        end
        return out
      end,
    },
    vicuna = {
      description = "USER: ... ASSISTANT:",
      stop = { "USER:" },
      render = function(messages)
        local system, rest = turns(messages, "vicuna")
        local out = {
          content(system or "A chat between a curious user and an artificial intelligence assistant. "
            .. "The assistant gives helpful, detailed, and polite answers to the user's questions."),
          markup " ",
        }
        -- FastChat's two separators: a blank behind what the user says, "</s>" and no blank behind an answer.
        for _, message in ipairs(rest) do
          if message.role == "user" then
            table.move({ markup "USER: ", content(message.content), markup " ASSISTANT:" }, 1, 3, #out + 1, out)
          else
            table.move({ markup " ", content(message.content), markup "</s>" }, 1, 3, #out + 1, out)
          end
        end
        return out
      end,
    },
    zephyr = {
      description = "<|system|> ... <|user|> ... <|assistant|>",
      stop = { "</s>" },
      render = function(messages)
        local out = {}
        for i, message in ipairs(messages) do
          -- A role becomes markup, where control tokens are read.
          if not ZEPHYR_ROLES[message.role] then
            error(("zephyr: expected the role system, user or assistant at message %d, found %s"):format(i, message.role), 0)
          end
          table.move(
            { markup("<|" .. message.role .. "|>\n"), content(message.content), markup "</s>\n" }, 1, 3, #out + 1, out)
        end
        out[#out + 1] = markup "<|assistant|>\n"
        return out
      end,
    },
  },
}
