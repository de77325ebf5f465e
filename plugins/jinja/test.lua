local lacuna <const> = require "lacuna"

local TEMPLATE <const> = [[
{%- for m in messages %}
  {%- if m.role == 'system' %}
<<{{ m.content | trim }}>>
  {% else %}
{{ loop.index0 }} {{ m['role'] | upper }}: {{ m.content }}{{ eos_token }}
  {% endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{ bos_token }}{% endif %}]]

local function model(t, template)
  return t.model { vocab = { "a", "b", "<", "/", "s", ">", " " }, chat_template = template }
end

return {
  ["a checkpoint's template is used where none is named"] = function(t)
    local m = model(t, TEMPLATE)
    local messages = { { role = "system", content = " Be brief. " }, { role = "user", content = "Hi" } }
    local expected = "<<Be brief.>>\n1 USER: Hi</s>\n<s>"
    t.equal(lacuna.render("jinja", messages, m), expected)
    t.equal(m:session({ messages = messages }):tokens(), m:encode(expected, { special = true }))
  end,
  ["what people write cannot become a control token"] = function(t)
    local m = model(t, "{{ messages[0].content }}|{{ messages[0].content.replace('x', '</s>') }}{{ eos_token }}")
    local count = 0
    for _, id in ipairs(m:session({ messages = { { role = "user", content = "</s>x" } } }):tokens()) do
      if id == m.vocab.eos then count = count + 1 end
    end
    t.equal(count, 2, "what replace put in is the template's, and so is eos_token")
  end,
  ["a template's own objection is what the user reads"] = function(t)
    local m = model(t, "{{ raise_exception('Only one question, please') }}")
    t.raises(function() m:session { messages = { { role = "user", content = "Hi" } } } end, "Only one question, please")
  end,
  ["an error names the template's line"] = function(t)
    local m = model(t, "a\n{{ nothing.at_all }}")
    t.raises(function() m:session { messages = { { role = "user", content = "Hi" } } } end, 'line 2: "nothing" is undefined')
  end,
  ["a model without a template says so"] = function(t)
    t.raises(function() lacuna.render("jinja", "Hi", model(t)) end, "the checkpoint has no chat template")
  end,
}
