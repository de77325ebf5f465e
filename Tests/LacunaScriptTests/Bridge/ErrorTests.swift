import LacunaEngine
import LacunaScript
import Synchronization
import Testing

@Suite struct ErrorTests {
  @Test(
    "mistakes read as Lua's own and name what was meant",
    arguments: [
      ("m:encode(nil)", "bad argument #1 to 'encode' (string expected, got nil)"),
      ("m.encode(nil)", "bad argument #1 to 'encode' (lacuna.model expected, got nil)"),
      ("m:encode('a', { bso = true })", "unknown option 'bso' (did you mean \"bos\"?)"),
      ("m:encode('a', { bos = 3 })", "option 'bos': expected true or false, found 3"),
      ("s:push(1.5)", "number has no integer representation"),
      ("s:apend('x')", "lacuna.session has no 'apend' (did you mean 'append'?)"),
      ("s:logits():maximum()", "lacuna.vec has no 'maximum' (did you mean 'max'?)"),
      ("m.vocab:set():contain(1)", "lacuna.set has no 'contain' (did you mean 'contains'?)"),
      ("lacuna.rng(1):unifrom()", "lacuna.rng has no 'unifrom' (did you mean 'uniform'?)"),
      ("s:generate { max_tokens = -1 }", "option 'max_tokens': expected an integer from 0, found -1"),
      ("m:session { text = 'a', tokens = {} }", "one of messages, tokens and text"),
      ("s:append(s)", "string or table expected, got lacuna.session"),
      ("s:logits():copy():dot(3)", "bad argument #1 to 'dot' (lacuna.vec expected, got number)"),
    ])
  func mistakes(_ source: String, _ expected: String) throws {
    let error = try ScriptBench.failure("\n" + source)
    #expect(error.message.contains(expected), "\(error.message)")
    #expect(error.place == "test:2" || error.message.hasPrefix("test:2"), "\(error)")
    #expect(error.traceback?.contains("test:2") == true)
  }

  @Test("an error says message, line and the whole traceback, through callbacks too")
  func traceback() throws {
    let error = try ScriptBench.failure(
      """
      local function inner() error("broken") end
      s:generate { max_tokens = 1, hooks = { on_logits = function() inner() end } }
      """)
    #expect(error.message == "test:1: broken" || error.message.hasSuffix("broken"))
    #expect(error.traceback?.contains("inner") == true, "\(error.traceback ?? "")")
  }

  @Test(
    "what is no string can be raised too",
    arguments: [
      ("error(nil)", "(error object is a nil value)"), ("error({})", "(error object is a table value)"),
      ("error({ code = 3, message = 'no luck' })", "no luck"),
      ("error({ message = {} })", "(error object is a table value)"),
      ("error(setmetatable({}, { __tostring = function() return 'mine' end }))", "mine"),
      ("error(lacuna.error('my_code', 'said so'))", "said so"), ("local x = nil + 1", "arithmetic on a nil value"),
      ("x x", "syntax error"),
      ("local function f() return f() + 1 end f()", "stack overflow"),
      ("error(setmetatable({}, { __tostring = function() error('again') end }))", "again"),
    ])
  func values(_ source: String, _ expected: String) throws {
    let error = try ScriptBench.failure(source)
    #expect(error.message.contains(expected), "\(error.message)")
  }

  @Test("errors in finalizers and close handlers stay in Lua")
  func finalizers() throws {
    try ScriptBench.run(
      """
      for _ = 1, 10 do setmetatable({}, { __gc = function() error("in gc") end }) end
      collectgarbage()
      local ok, err = pcall(function() local x <close> = setmetatable({}, { __close = function() error("in close") end }) end)
      assert(not ok and err:find("in close"))
      setmetatable({}, { __gc = function() s:push(2) error(nil) end })
      """)
  }

  @Test("callbacks may nest until Lua itself says stop")
  func nesting() throws {
    let error = try ScriptBench.failure(
      """
      local function deeper()
        local t = m:session { text = "a" }
        t:generate { max_tokens = 1, hooks = { on_logits = deeper } }
      end
      deeper()
      """)
    #expect(error.message.contains("overflow"), "\(error.message)")
  }

  @Test(
    "endless loops stop when the host says so, whatever catches errors",
    arguments: [
      "while true do end", "while true do pcall(function() while true do end end) end",
      "coroutine.wrap(function() while true do end end)()",
      "while true do local co = coroutine.create(function() while true do end end); coroutine.resume(co) end",
      "while true do s:rewind(4); s:generate { max_tokens = 4 } end",
      "for _ in function() return 1 end do end",
    ])
  func cancellation(_ source: String) throws {
    let host = LuaHost(try ScriptBench.environment())
    host.cancel(after: 0.1)
    let error = #expect(throws: ScriptError.self) {
      try host.run(LuaHost.Script(name: "test", source: ScriptBench.prelude + source))
    }
    #expect(error?.code == "cancelled", "\(String(describing: error))")
  }

  @Test("arguments arrive as ... and arg; print goes to the host")
  func arguments() throws {
    let printed = Mutex<[UInt8]>([])
    var environment = try ScriptBench.environment()
    environment.write = { bytes in printed.withLock { $0 += bytes } }
    try LuaHost(environment).run(
      LuaHost.Script(
        name: "test", source: "#!shebang\nlocal a, b = ...; print(a, arg[2], arg[0]); require'lacuna'.write('x', 1)"),
      arguments: ["one", "two"])
    #expect(String(decoding: printed.withLock { $0 }, as: UTF8.self) == "one\ttwo\ttest\nx1")
  }
}
