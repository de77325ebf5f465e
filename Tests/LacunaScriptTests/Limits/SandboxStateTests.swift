import CLuaBridge
import LacunaEngine
import LacunaScript
import Synchronization
import Testing

/// Sandboxed states inside this process: what they may, and what a limit does to them and to nobody else.
@Suite struct SandboxStateTests {
  private static func environment(_ change: (inout SandboxPolicy) -> Void = { _ in }) throws -> ScriptEnvironment {
    var policy = SandboxPolicy(name: "test")
    policy.capabilities = Capability.model
    change(&policy)
    var environment = try ScriptBench.environment()
    environment.sandbox = policy
    return environment
  }

  private static func run(_ source: String, _ environment: ScriptEnvironment) throws {
    try LuaHost(environment).run(LuaHost.Script(name: "test", source: ScriptBench.prelude + source))
  }

  private static func failure(_ source: String, _ environment: ScriptEnvironment) throws -> ScriptError {
    do throws(ScriptError) {
      try LuaHost(environment).run(LuaHost.Script(name: "test", source: ScriptBench.prelude + source))
    } catch {
      return error
    }
    throw ScriptBench.NoFailure()
  }

  @Test("the whole library works in the sandbox as it does outside", arguments: MemoryTests.calls)
  func library(_ call: String) throws {
    try Self.run("local function f() return \(call) end f() f()", Self.environment())
  }

  @Test(
    "what was not granted raises denied with the manifest's line",
    arguments: [
      ("s:generate { max_tokens = 1 }", Capability.modelScore, "[\"model.generate\", \"model.score\"]"),
      ("s:logits()", .modelScore, "[\"model.logits\", \"model.score\"]"),
      ("m:score { prompt = 'a', answers = { 'b' } }", .modelLogits, "[\"model.logits\", \"model.score\"]"),
      ("lacuna.forward { s }", .modelScore, "[\"model.logits\", \"model.score\"]"),
      ("m:trace('a', { hidden = { 1 } })", .modelScore, "[\"model.hidden\", \"model.score\"]"),
      ("s:trace { lens = { 1 } }", .modelScore, "[\"model.hidden\", \"model.score\"]"),
      ("s:hidden(1)", .modelScore, "[\"model.hidden\", \"model.score\"]"),
      ("s:lens(1)", .modelScore, "[\"model.hidden\", \"model.score\"]"),
      ("s:embedding()", .modelScore, "[\"model.hidden\", \"model.score\"]"),
      ("m:patch { layer = 1, scale = 0 }", .modelScore, "[\"model.patch\", \"model.score\"]"),
      ("s:save('x/y')", .modelScore, "[\"kv.save\", \"model.score\"]"),
    ])
  func denied(_ source: String, _ granted: Capability, _ line: String) throws {
    let error = try Self.failure(source, Self.environment { $0.capabilities = [granted] })
    #expect(error.code == "denied", "\(error)")
    #expect(error.message.contains("\"capabilities\": \(line)"), "\(error.message)")
  }

  @Test("files are reached below granted folders alone")
  func paths() throws {
    let engine = try #require(try ScriptBench.environment().resolveModel(nil) as Engine?)
    let folder = "\(engine.info.name)-\(UInt64.random(in: 0 ... .max))"
    func error(_ source: String, _ capability: Capability) throws -> String {
      try Self.failure(
        "assert(\(source))",
        Self.environment {
          $0.capabilities.formUnion([.saveState, capability])
        }
      ).message
    }
    // What is granted fails for want of the folder, all else before anything is opened.
    for granted in ["s:save('\(folder)/a.kv')", "s:save('./\(folder)/b/a.kv')"] {
      #expect(!(try error(granted, .writeFiles(folder))).contains("capability"))
    }
    #expect(!(try error("m:restore('\(folder)/a.kv')", .readFiles(folder))).contains("capability"))
    for denied in ["\(folder)/../a.kv", "\(folder)s/a.kv", "/\(folder)/a.kv", "a.kv"] {
      #expect(try error("s:save('\(denied)')", .writeFiles(folder)).contains("fs.write:"), "\(denied)")
    }
    #expect(try error("s:save('\(folder)/a.kv')", .readFiles(folder)).contains("fs.write:\(folder)"))
    #expect(try error("m:restore('\(folder)/a.kv')", .writeFiles(folder)).contains("fs.read:\(folder)"))
  }

  @Test("a sampler stage that does not return is ended by the step limit, which is named with its line")
  func step() throws {
    let error = try Self.failure(
      "s:generate { max_tokens = 4, sampler = { { apply = function()\n while true do end end }, { 'greedy' } } }",
      Self.environment {
        $0.stepMilliseconds = 20; $0.callMilliseconds = 60_000
      })
    #expect(error.code == "limit")
    #expect(error.message.contains("test exceeded its limit of 20 ms for a step"), "\(error)")
    #expect(error.place == "test:2", "\(error)")
  }

  @Test("tokens and the memory of sessions are limited, forks and snapshots included")
  func account() throws {
    let tokens = try Self.failure(
      "while true do s:rewind(1); s:generate { max_tokens = 8 } end", Self.environment { $0.tokens = 100 })
    #expect(tokens.message.contains("token limit of 100"), "\(tokens)")
    for source in [
      "local keep = {} for i = 1, 1e5 do keep[i] = m:session { text = 'abc' }; keep[i]:logits() end",
      "local keep = {} for i = 1, 1e5 do keep[i] = s:fork(); keep[i]:push(i % 60 + 2); keep[i]:logits() end",
      "local keep = {} for i = 1, 1e5 do keep[i] = s:snapshot() end",
      "local keep, v = {}, s:hidden(1):copy() for i = 1, 1e5 do keep[i] = m:patch { layer = 1, add = v } end",
      "local keep = {} for i = 1, 1e5 do keep[i] = m:session(); keep[i]:push(2); keep[i]:lens(0); keep[i]:hidden(0) end",
    ] {
      let error = try Self.failure(
        source,
        Self.environment {
          $0.kvBytes = 1 << 20; $0.callMilliseconds = 60_000
        })
      #expect(error.message.contains("limit of 1 MiB of sessions"), "\(error)")
    }
    // Pages that are shared are not counted twice, and those that were let go are not counted.
    try Self.run(
      "s:logits() for i = 1, 2000 do local f <close> = s:fork() end", Self.environment { $0.kvBytes = 1 << 20 })
  }

  @Test("a trace is on the script's memory account: refused when it would be too large, and ended when kept too often")
  func traces() throws {
    let environment = try Self.environment { $0.memoryBytes = 2 << 20 }
    let tokens = "local t = {} for i = 1, 200 do t[i] = 2 + i % 20 end "
    let refused = try Self.failure(
      tokens + "m:trace(t, { attention = 'all', lens = 'all' })", Self.environment { $0.memoryBytes = 256 << 10 })
    #expect(refused.message.contains("at most 128 KiB, found") == true, "\(refused)")
    let kept = try Self.failure(
      tokens + "local keep = {} for i = 1, 1e4 do keep[i] = m:trace(t, { hidden = 'all' }) end", environment)
    #expect(kept.message.contains("memory limit of 2 MiB"), "\(kept)")
    try Self.run(tokens + "for i = 1, 200 do m:trace(t, { hidden = 'all' }) end", environment)
    let counted = try Self.failure(
      tokens + "for i = 1, 10 do m:trace(t, { hidden = { 1 } }) end",
      Self.environment { $0.tokens = 1000 })
    #expect(counted.message.contains("token limit of 1000"), "\(counted)")
  }

  @Test("a limit ends its own state alone, for good, and lets go of everything")
  func isolation() throws {
    weak var session: SessionObject?
    try ScriptThread.run {
      Result {
        let other = try ScriptRuntime(try Self.environment())
        let counter = try other.state.load(
          Array("local n = 0; return function() n = n + 1; return n end".utf8), name: "=n")
        guard case .function(let count)? = try other.state.call(counter).first else { throw ScriptBench.NoFailure() }
        try other.state.call(count)

        let ended = try ScriptRuntime(try Self.environment { $0.callMilliseconds = 30 })
        let source = ScriptBench.prelude + "return s, function() while true do end end"
        let results = try ended.state.call(try ended.state.load(Array(source.utf8), name: "=test"))
        guard case .object(let object) = results[0], case .function(let loop) = results[1] else {
          throw ScriptBench.NoFailure()
        }
        session = object as? SessionObject
        #expect(throws: ScriptError.self) { try ended.state.call(loop) }
        #expect(ended.state.limitError?.message.contains("30 ms for a call") == true)
        // Nothing runs there any more, not even what would be quick.
        #expect(throws: ScriptError.self) { try ended.state.load(Array("return 1".utf8), name: "=again") }
        guard case .integer(2)? = try other.state.call(count).first else { throw ScriptBench.NoFailure() }
      }
    }.get()
    #expect(session == nil)
  }

  @Test(
    "patterns, formats and table functions give what the stock library gives",
    arguments: ["patterns", "format", "tables"])
  func equality(_ name: String) throws {
    let path =
      "\(#filePath.split(separator: "/").dropLast(3).reduce("") { "\($0)/\($1)" })/Fixtures/sandbox/\(name).lua"
    func output(_ environment: ScriptEnvironment) throws -> String {
      let printed = Mutex<[UInt8]>([])
      var environment = environment
      environment.write = { bytes in printed.withLock { $0 += bytes } }
      try LuaHost(environment).run(try LuaHost.Script(path: path))
      return String(decoding: printed.withLock { $0 }, as: UTF8.self)
    }
    let stock = try output(try ScriptBench.environment())
    #expect(stock.count > 1000)
    #expect(try output(Self.environment { $0.outputBytes = 1 << 24 }) == stock)
  }

  @Test(
    "with an allocation failing anywhere among the first thousand a sandboxed state ends, and can be closed",
    arguments: [0, 1, 2, 3])
  func faults(_ part: Int) throws {
    let calls = MemoryTests.calls.enumerated().filter { $0.offset % 4 == part }.map(\.element)
    try ScriptThread.run {
      Result {
        for call in calls {
          // Each needs a state of its own, since a failure ends it.
          for allowed in stride(from: UInt64(part), to: 1000, by: 41) {
            let runtime = try ScriptRuntime(try Self.environment())
            let source = Array((ScriptBench.prelude + "return function() return \(call) end").utf8)
            let chunk = try runtime.state.load(source, name: "=call")
            guard case .function(let function)? = try runtime.state.call(chunk).first else {
              throw ScriptBench.NoFailure()
            }
            lb_fail_after(runtime.state.raw, allowed)
            let result = Result { try runtime.state.call(function, wantsResults: false) }
            guard case .failure(let error) = result else { break }
            #expect("\(error)".contains("memory"), "\(error)")
          }
        }
      }
    }.get()
  }

  @Test("a plugin runs under its manifest: what it may not is denied, and a limit ends it until its next use")
  func plugin() throws {
    let bench = try PluginBench()
    try bench.write(
      "spinner", provides: ["tool:spin", "tool:say", "tool:peek"], fields: ", \"limits\": { \"call_ms\": 40 }",
      """
      tools = {
        spin = { description = "never returns", params = {}, run = function()
          while true do pcall(function() while true do end end) end
        end },
        say = { description = "says", params = {}, run = function() return "here" end },
        peek = { description = "peeks", params = {}, run = function() return tostring(lacuna.model()) end },
      }
      """)
    try bench.run(
      """
      assert(lacuna.tool("say", {}) == "here")
      local value, err = lacuna.tool("spin", {})
      assert(value == nil and err.code == "limit", tostring(err))
      assert(tostring(err):find("plugin spinner exceeded its limit of 40 ms for a call", 1, true), tostring(err))
      assert(tostring(err):find("init.lua:5", 1, true), tostring(err))
      assert(lacuna.tool("say", {}) == "here")
      value, err = lacuna.tool("peek", {})
      assert(not value and tostring(err):find('"capabilities": ["model.generate"]', 1, true), tostring(err))
      """)
  }

  @Test("a plugin's call ends when its time is up, also while it waits for passes one after the other")
  func waitingCall() throws {
    let bench = try PluginBench()
    // Each callback is well within the limit of a call, and so is what runs of the pipeline itself.
    try bench.write(
      "dawdler", provides: ["pipeline:go"],
      fields: ", \"capabilities\": [\"model.generate\"], \"limits\": { \"call_ms\": 100 }",
      """
      pipelines = { go = { run = function(_, ctx)
        local s = ctx.model:session { text = "abc" }
        local function slow(logits)
          logits[1] = -math.huge  -- the answer has no end of its own
          for _ = 1, 3e6 do end
        end
        s:generate { max_tokens = 200, sampler = { slow, { "dist" } } }
        return { text = s:text() }
      end } }
      """)
    let drawn = Mutex(0)
    var environment = try bench.environment
    environment.trace = { _ in drawn.withLock { $0 += 1 } }
    try Self.run(
      """
      local output, err = lacuna.pipeline "go"
      assert(output == nil and err.code == "limit" and err.message:find("100 ms for a call", 1, true), tostring(err))
      """, environment)
    #expect((1..<100).contains(drawn.withLock { $0 }))
  }

  @Test("a session that a decoder returns is on the account of the state whose session it becomes")
  func adoptedSessions() throws {
    let bench = try PluginBench()
    try bench.write(
      "grower", provides: ["decoder:grow"],
      fields: ", \"capabilities\": [\"model.logits\"], \"limits\": { \"kv_mb\": 1 }",
      """
      decoders = { grow = { run = function(session)
        local fork = session:fork()
        for _ = 1, 100 do fork:push(5) end
        fork:logits()
        return fork
      end } }
      """)
    let source =
      "local keep = {} for i = 1, 200 do keep[i] = m:session { text = 'abc' }; keep[i]:generate { decoder = 'grow' } end"
    try bench.run(source)
    var environment = try bench.environment
    var policy = SandboxPolicy(name: "test")
    policy.capabilities = Capability.model
    policy.kvBytes = 1 << 20
    environment.sandbox = policy
    let error = try Self.failure(source, environment)
    #expect(error.code == "limit" && error.message.contains("test exceeded its limit of 1 MiB of sessions"), "\(error)")
  }
}
