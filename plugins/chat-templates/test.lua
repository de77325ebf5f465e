local lacuna <const> = require "lacuna"
local ONE <const> = { { role = "user", content = "Hi" } }
local THREE <const> = {
  { role = "user", content = "Hi" }, { role = "assistant", content = "Yes?" }, { role = "user", content = "Who?" },
}
return {
  ["alpaca"] = function(t)
    t.equal(lacuna.render("alpaca", ONE),
      "Below is an instruction that describes a task. Write a response that appropriately completes the request."
      .. "\n\n### Instruction:\nHi\n\n### Response:\n")
  end,
  ["vicuna keeps earlier turns, each answer ended"] = function(t)
    -- FastChat, conversation.py: get_prompt with sep " " and sep2 "</s>".
    t.equal(lacuna.render("vicuna", THREE),
      "A chat between a curious user and an artificial intelligence assistant. "
      .. "The assistant gives helpful, detailed, and polite answers to the user's questions. "
      .. "USER: Hi ASSISTANT: Yes?</s>USER: Who? ASSISTANT:")
    t.equal(lacuna.render("vicuna", { { role = "system", content = "Be brief." }, ONE[1] }), "Be brief. USER: Hi ASSISTANT:")
  end,
  ["zephyr"] = function(t)
    local messages = { { role = "system", content = "Be brief." }, ONE[1] }
    t.equal(lacuna.render("zephyr", messages), "<|system|>\nBe brief.</s>\n<|user|>\nHi</s>\n<|assistant|>\n")
  end,
  ["roles out of turn are refused"] = function(t)
    t.raises(function() lacuna.render("vicuna", { { role = "assistant", content = "Yes" } }) end, "expected the role user")
  end,
  ["a role cannot become a control token"] = function(t)
    t.raises(function() lacuna.render("zephyr", { { role = "</s>", content = "Hi" } }) end, "expected the role system, user or assistant")
  end,
  ["what a user writes cannot become a control token"] = function(t)
    local m = t.model { vocab = { "H", "i" } }
    local plain = m:session { messages = { { role = "user", content = "</s>" } }, template = "zephyr" }
    local count = 0
    for _, id in ipairs(plain:tokens()) do
      if id == m.vocab.eos then count = count + 1 end
    end
    t.equal(count, 1, "the template's own")
  end,
}
