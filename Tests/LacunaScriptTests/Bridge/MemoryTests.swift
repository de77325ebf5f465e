import CLuaBridge
import LacunaEngine
import LacunaScript
import Testing

@Suite struct MemoryTests {
  /// What each bound function is called with; together they touch every one of them.
  static let calls = [
    "lacuna.model 'second'", "lacuna.model 'none'", "lacuna.forward { s }", "lacuna.error('a', 'b', {})",
    "lacuna.json.encode { a = { 1, 'x', lacuna.json.null } }", "lacuna.json.decode '{\"a\":[1,{\"b\":null}]}'",
    "lacuna.json.decode '{'", "lacuna.json.array { 1 }", "lacuna.sampler.stages()",
    "lacuna.sampler.chain { { 'top_k', k = 2 }, function() end, { 'dist' } }",
    "lacuna.sampler.chain({ 'greedy' }):explain(s:logits())", "lacuna.rng(1):fork(2):uniform()",
    "m.info.name:upper()", "m.vocab:set { 1, 2 }", "m.vocab == lacuna.model('second').vocab",
    "m:encode('abc', { bos = true })", "m:decode { 2, 3 }", "m:piece(2)", "m:is_eog(2)",
    "m:session { text = 'a', seed = 1, hooks = { on_prompt = function(p) return p .. 'b' end } }",
    "m:session { messages = { { role = 'user', content = 'a' } }, template = 'chatml' }:close()",
    "m:score_many({ { prompt = 'ab', answers = { 'c' } }, { prompt = 'ab', answers = { 'd' } } }, { on_item = function() end })",
    "(function() local r, e = lacuna.parallel({ 'c', 'd' }, function(x, i) local t <close> = s:fork(); t:append(x); return t:logits():max() end); for _, err in pairs(e) do error(err) end return r end)()",
    "(function() local r, e = lacuna.parallel({ 1, 2 }, function(i) local t <close> = m:session { text = 'ab' }; for _ in t:stream { max_tokens = i } do end error({ i }) end); for _, err in pairs(e) do if type(err) ~= 'table' or not err[1] then error(err) end end return r end)()",
    "m:score { prompt = 'ab', answers = { 'c', 'd' }, per_token = true }", "m:perplexity 'abcd'",
    "s:append('d'):rewind(4)", "s:push(3):rewind(4)", "#s", "s:text()", "s:tokens(1, 2)", "s:mark()",
    "s:fork():close()", "m:restore(s:snapshot())", "s:logits():copy():softmax():topk(3)",
    "s:logits():below(0):ids()", "s:logits():top_mass(0.5)", "s:logits():gumbel_topk(2, lacuna.rng(1))",
    "s:generate { max_tokens = 2, sampler = { { apply = function() end, accept = function() end, init = function() return { 1 } end }, { pick = function(v) return v:argmax() end } } }, s:rewind(4)",
    "s:generate { max_tokens = 2, logprobs = 1, hooks = { on_logits = function(v, c) c.state.x = v:max() end, on_token = function() end, on_text = function() end, on_finish = function() return { a = 1 } end } }, s:rewind(4)",
    "(function() for _ in s:stream { max_tokens = 2 } do break end s:rewind(4) end)()",
    "m:trace('abc', { hidden = { 0, 1 }, attention = { { 0 } }, lens = { 1 }, positions = { 1, -1 } })",
    "s:trace { hidden = 'all', attention = 'all', positions = 'last' }", "s:hidden(1):norm()", "s:lens(0):max()",
    "s:embedding { layer = 1, pooling = 'last' }",
    "m:session { text = 'ab', patches = { m:patch { layer = 1, add = s:hidden(1), scale = 2, positions = 'last' } } }:logits()",
    "require('lacuna.vec').of { 1, 2 }:get { 0, 1 }", "s:logits():jsd(s:logits())",
    "require('lacuna.set').new(10, { 1 }) | require('lacuna.set').new(10)",
  ]

  @Test("with the n-th allocation failing a function raises, leaks nothing, and the state works on", arguments: calls)
  func faults(_ call: String) throws {
    try ScriptBench.withRuntime { runtime in
      let state = runtime.state
      let chunk = try state.load(
        Array((ScriptBench.prelude + "return function() return \(call) end").utf8), name: "=call")
      guard case .function(let function)? = try state.call(chunk).first else {
        Issue.record("no function")
        return
      }
      // Once without faults: what is made once and kept is made now.
      try state.call(function, wantsResults: false)
      state.collectGarbage()
      let objects = state.memory.live_objects
      var failures = 0
      for allowed in 0..<UInt64(20_000) {
        lb_fail_after(state.raw, allowed)
        let result = Result { try state.call(function, wantsResults: false) }
        lb_fail_after(state.raw, .max)
        guard case .failure(let error) = result else { break }
        failures += 1
        let text = "\(error)"
        #expect(text.contains("memory") || text.contains("LuaFailure"), "\(text)")
        _ = try? state.call(try state.load(Array("collectgarbage()".utf8), name: "=gc"))
        // A fault may leave the session longer; the call itself is to work again.
        _ = try state.call(reset(state), [.reference(function)])
      }
      #expect(failures > 0 && failures < 19_999)
      try state.call(function, wantsResults: false)
      state.collectGarbage()
      state.collectGarbage()
      #expect(state.memory.live_objects <= objects)
    }
  }

  /// Rewinds the session that the function has as an upvalue.
  private func reset(_ state: LuaState) throws -> LuaReference {
    try state.load(
      Array(
        """
        local f = ...
        for i = 1, 10 do
          local name, value = debug.getupvalue(f, i)
          if name == "s" then value:rewind(math.min(4, #value)) if #value < 4 then value:append("c") end end
        end
        """.utf8), name: "=reset")
  }

  @Test("a script beyond its memory cap gets an error that it can catch")
  func cap() throws {
    var environment = try ScriptBench.environment()
    environment.memoryCap = 4 << 20
    let host = LuaHost(environment)
    try host.run(
      LuaHost.Script(
        name: "test",
        source: """
          local ok, err = pcall(function() local t = {} for i = 1, 1e9 do t[i] = ("x"):rep(1000) .. i end end)
          assert(not ok and err == "not enough memory")
          local ok, err = pcall(string.rep, "x", 1 << 30)
          assert(not ok)
          """))
  }

  @Test("every object of the host goes when the state does")
  func objects() throws {
    weak var session: SessionObject?
    try ScriptBench.withRuntime { runtime in
      let state = runtime.state
      let chunk = try state.load(
        Array((ScriptBench.prelude + "keep = { s, s:fork(), s:logits() }; return s").utf8), name: "=test")
      guard case .object(let object)? = try state.call(chunk).first else { return }
      session = object as? SessionObject
      #expect(session != nil)
      #expect(state.memory.live_objects >= 3)
    }
    #expect(session == nil)
  }

  @Test("signatures refuse unknown words instead of guessing")
  func signatures() throws {
    try ScriptBench.withRuntime { runtime in
      #expect(lb_add_function(runtime.state.raw, "lacuna.test", "f", "sesion", 0) == LB_NO_MEMORY)
      #expect(lb_add_function(runtime.state.raw, "lacuna.test", "f", "session, string|table?, ...", 0) == LB_OK)
    }
  }
}
