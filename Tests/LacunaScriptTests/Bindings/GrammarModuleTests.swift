import LacunaScript
import Testing

@Suite struct GrammarModuleTests {
  @Test("grammars come from schemas, GBNF, expressions and lists, and say what they refuse")
  func making() throws {
    try ScriptBench.run(
      """
      local grammar = require "lacuna.grammar"
      local card = assert(grammar.json {
        required = { "b", "a" }, additionalProperties = false,
        properties = { a = { type = "integer" }, b = { enum = { "x", "y" } }, c = { type = "null" } } })
      assert(card:accepts '{"b":"x","a":1}' and card:accepts '{"b": "y", "a": 2, "c": null}')
      assert(not card:accepts '{"a":1,"b":"x"}' and card:accepts('{"b":', { partial = true }))
      assert(grammar.json('{"const":1}', { whitespace = "compact" }):accepts "1")
      assert(grammar.gbnf 'root ::= "a"+':accepts "aaa" and grammar.regex "a|b":accepts "b")
      assert(grammar.choice { "yes", "no" }:accepts "no")
      local none, err = grammar.regex "("
      assert(none == nil and err.code == "invalid_argument" and err.message:find "line 1, column 2")
      none, err = grammar.json { type = "objct" }
      assert(none == nil and err.message:find "#/type")
      for _, bad in ipairs { {}, { 1 }, { a = 1 } } do assert(not pcall(grammar.choice, bad)) end
      assert(not pcall(grammar.json, { x = print }) and not pcall(grammar.json, {}, { white = "x" }))
      """)
  }

  @Test("a matcher masks a script's own decoding loop")
  func matching() throws {
    try ScriptBench.run(
      """
      local at = lacuna.grammar.regex "ab?c":matcher(m)
      local function allowed() return m:decode(at:mask():ids()) end
      assert(allowed() == "a" and not at:is_accepting())
      at:accept(m:encode("a")[1])
      local copy = at:fork()
      assert(allowed() == "bc")
      at:accept(m:encode("c")[1])
      assert(at:is_finished() and at:is_accepting() and not copy:is_finished())
      assert(not pcall(copy.accept, copy, m:encode("z")[1]))
      assert(copy:accept(m:encode("b")[1]):mask():contains(m:encode("c")[1]))
      """)
  }

  @Test("generate and stream keep to a grammar")
  func generating() throws {
    try ScriptBench.run(
      """
      local choice = lacuna.grammar.choice { "yes", "no", "never" }
      local s = m:session { text = "abc" }
      local r = s:generate { grammar = choice, seed = 5 }
      assert(r.finish == "grammar" and choice:accepts(r.text), r.text)
      local text, forced, finish = "", 0, nil
      for piece, ev in m:session { text = "abc" }:stream { grammar = choice, sampler = { { "greedy" } } } do
        text, finish = text .. piece, ev.finish
        if ev.forced then forced = forced + 1 end
      end
      assert(finish == "grammar" and choice:accepts(text) and forced >= 1)
      local ok, err = pcall(s.generate, s, { grammar = {} })
      assert(not ok and err.message:find "lacuna.grammar")
      """)
  }
}
