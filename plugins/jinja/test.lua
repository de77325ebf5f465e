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
  ["and keeps its mark as a dict's key, in a macro's kwargs, in a format and as white space"] = function(t)
    for template, own in pairs {
      ["{{ dict({messages[0].content: 1}) | list | first }}"] = 0,
      ["{{ dict(**{messages[0].content: 1}) }}{{ eos_token }}"] = 1,
      ["{{ dict([(messages[0].content, 1)]) | items | list }}"] = 0,
      ["{% macro m() %}{% for k in kwargs %}{{ k }}{% endfor %}{% endmacro %}{{ m(**{messages[0].content: 1}) }}"] = 0,
      ["{% macro m() %}{{ kwargs }}{{ eos_token }}{% endmacro %}{{ m(**{messages[0].content: 1}) }}"] = 1,
      ["{{ [1, 2] | tojson(indent=messages[0].content, separators=(',', ':')) }}"] = 0,
      ["{{ [1, 2] | tojson(separators=(messages[0].content, ':')) }}{{ {'a': 1} | tojson(separators=(',', messages[0].content)) }}"] = 0,
      ["{{ strftime_now(messages[0].content) }}"] = 0,
      ["{{ 'x' | center(9) }}{{ messages[0].content | center(20) | truncate(12, true, messages[0].content, 0) }}"] = 0,
      ["{{ '{:>9}|{!r}'.format(messages[0].content, messages[0].content) }}{{ '%-12s' % messages[0].content }}"] = 0,
      ["{{ ('s' ~ messages[0].content) | upper | lower }}{{ ''.join(['<', '/', 's']) }}"] = 0,
      ["{{ messages[0].content.partition('/') | join }}{{ 'a'.replace('', messages[0].content) }}"] = 0,
    } do
      local m <const> = model(t, template)
      local count = 0
      for _, id in ipairs(m:session({ messages = { { role = "user", content = "a</s>b" } } }):tokens()) do
        if id == m.vocab.eos then count = count + 1 end
      end
      t.equal(count, own, template)
    end
  end,
  ["what Python has and is not here is an error that says so"] = function(t)
    for template, part in pairs {
      ["{% set nope.x = 1 %}"] = '"nope" is no namespace',
      ["{{ range('a') }}"] = "range: expected an int, found a str",
      ["{{ range(0, 10, 0) }}"] = "range: a step of 0",
      ["{{ range() }}"] = "range: expected the argument start",
      ["{{ 9999999999 * 9999999999 }}"] = "more than 64 bits",
      ["{{ 9223372036854775807 + 1 }}"] = "more than 64 bits",
      ["{{ -9223372036854775807 - 2 }}"] = "more than 64 bits",
      ["{{ 2 ** 63 }}"] = "more than 64 bits",
      ["{{ 9223372036854775808 }}"] = "more than 64 bits",
      ["{{ ('1' * 30) | int }}"] = "more than 64 bits",
      ["{{ 'a' | tojson(indnt=2) }}"] = 'tojson: no argument "indnt"',
      ["{{ 'a' | upper(1) }}"] = "upper: expected at most 0 arguments, found 1",
      ["{{ 'ab'.find('b', 0, 1, 2) }}"] = "find: expected at most 3 arguments, found 4",
      ["{{ '{:n}'.format(3) }}"] = "format: {:n} of a int is not possible",
      ["{{ '{0.x}'.format(3) }}"] = "attributes and elements are not done here",
      ["{{ '{'.format() }}"] = "a brace without its other one",
      ["{{ '%y' % 1 }}"] = "no format %y",
      ["{{ '%d' % 'a' }}"] = "no format %d of a str",
      ["{{ 'a' % 1 }}"] = "not all arguments of a format were used",
      ["{{ 'é'.isalpha() }}"] = "isalpha: only ASCII texts",
      ["{{ ['é', 'b'] | sort }}"] = "sort: only ASCII texts",
      ["{{ 5.5 | round(-1) }}"] = "round: expected a precision",
      ["{{ 'a'.rsplit(none, 1) }}"] = "rsplit: expected a separator",
      ["{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, 2) }}"] = "m: expected at most 1 arguments, found 2",
      ["{% macro m(a) %}{{ a }}{% endmacro %}{{ m(b=2) }}"] = 'm: no argument "b"',
      ["{{ dict(**[1]) }}"] = "** of a list is not possible",
      ["{{ 3 is divisibleby 0 }}"] = "division by zero",
      ["{% for i in [1] recursive %}{{ loop() }}{% endfor %}"] = "loop: expected the argument iterable",
    } do
      local ok, err = pcall(lacuna.render, "jinja", "Hi", model(t, template))
      t.ok(not ok and tostring(err):find("line 1: ", 1, true) and tostring(err):find(part, 1, true), template .. ": " .. tostring(err))
      t.ok(not tostring(err):find("values.lua", 1, true), template .. ": " .. tostring(err))
    end
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
