import Dispatch
import Foundation
import LacunaEngine
import LacunaScript
import LacunaTestSupport
import Testing

@Suite("Plugin registry")
struct RegistryTests {
  private static let cut = """
    samplers = { cut = {
      params = { p = { type = "number", default = 0.5, min = 0, max = 1 } },
      apply = function(logits, params) logits:mask_below(logits:max() + math.log(params.p)) end,
    } }
    """

  @Test("a sampler is found by plugin and name, by its name alone, and by its plugin's")
  func names() throws {
    let bench = try PluginBench()
    try bench.write("my-cut", provides: ["sampler:cut"], Self.cut)
    try bench.run(
      """
      local function survivors(name)
        local v = lacuna.vec.of { math.log(0.5), math.log(0.3), math.log(0.2) }
        return lacuna.sampler.chain({ { name, p = 0.5 }, "greedy" }):explain(v)[2].survivors
      end
      for _, name in ipairs { "my-cut/cut", "my_cut/cut", "cut", "my-cut" } do assert(survivors(name) == 2, name) end
      assert(s:generate { max_tokens = 3, sampler = "my-cut:p=0.9 dist" }.text)
      """)
  }

  @Test("a name that two plugins have must say whose")
  func ambiguous() throws {
    let bench = try PluginBench()
    try bench.write("one", provides: ["sampler:cut"], Self.cut)
    try bench.write("two", provides: ["sampler:cut"], Self.cut)
    #expect(
      try bench.failure("lacuna.sampler.chain { 'cut', 'dist' }").contains(
        "expected one plugin's, found \"one/cut\", \"two/cut\""))
  }

  @Test(
    "parameters are held to their schema",
    arguments: [
      ("{ 'my-cut', q = 1 }", "no parameter \"q\""),
      ("{ 'my-cut', p = 2 }", "parameter \"p\": expected a number from 0 to 1, found 2"),
      ("{ 'my-cut', p = 'much' }", "expected a number from 0 to 1, found \"much\""),
      ("'my-cat'", "(did you mean"),
    ])
  func schema(_ stage: String, _ expected: String) throws {
    let bench = try PluginBench()
    try bench.write("my-cut", provides: ["sampler:cut"], Self.cut)
    let message = try bench.failure("lacuna.sampler.chain { \(stage), 'dist' }")
    #expect(message.contains(expected), "\(message)")
  }

  @Test("the first place wins, and the other one is reported")
  func shadowing() throws {
    let (first, second) = (try PluginBench(), try PluginBench())
    try first.write("my-cut", provides: ["sampler:cut"], Self.cut)
    try second.write("my-cut", provides: ["sampler:cut"], Self.cut)
    try second.directory.write("{", to: "broken/plugin.json")
    var search = PluginSearch()
    search.places = [(first.directory.path, .project), (second.directory.path, .installed)]
    let catalog = try PluginCatalog(search)
    #expect(catalog.plugins.map(\.path) == ["\(first.directory.path)/my-cut"])
    #expect(catalog.shadowed.map(\.path) == ["\(second.directory.path)/my-cut"])
    #expect(catalog.broken.map(\.path) == ["\(second.directory.path)/broken"])
    search.given = ["\(second.directory.path)/my-cut"]
    #expect(try PluginCatalog(search).plugins[0].origin == .given)
  }

  @Test("a plugin's error names the plugin and its line, in whatever script it is called from")
  func errors() throws {
    let bench = try PluginBench()
    try bench.write(
      "bad", provides: ["sampler:bad", "tool:worse"],
      """
      samplers = { bad = { apply = function(logits) local x = nil; return x.field end } },
      tools = { worse = { run = function() error("out of cheese") end } },
      """)
    let message = try bench.failure("s:generate { max_tokens = 1, sampler = { 'bad', 'dist' } }")
    #expect(message.contains("plugin bad: bad/init.lua:3: attempt to index a nil value"), "\(message)")
    try bench.run(
      """
      local value, err = lacuna.tool("worse", {})
      assert(value == nil)
      assert(err.message:find("plugin bad: bad/init.lua:4: out of cheese", 1, true), err.message)
      """)
  }

  @Test("manifest and Lua must agree on what there is")
  func provisions() throws {
    let bench = try PluginBench()
    try bench.write("less", provides: ["sampler:cut", "tool:hammer"], Self.cut)
    try bench.write("more", provides: ["hooks"], "hooks = { on_token = function() end },\n" + Self.cut)
    #expect(
      try bench.failure("lacuna.sampler.chain { 'less/cut', 'dist' }").contains(
        "provides: expected only what init.lua defines, found \"tool:hammer\""))
    #expect(
      try bench.failure("s:generate { hooks = 'more', max_tokens = 1 }").contains("found no \"sampler:cut\""))
  }

  @Test(
    "what lacuna.plugin is given wrongly is named where it is written",
    arguments: [
      ("sampler = {}", "unknown field 'sampler' (did you mean \"samplers\"?)"),
      ("samplers = { cut = { aply = print } }", "sampler \"cut\": unknown field 'aply' (did you mean \"apply\"?)"),
      ("samplers = { cut = {} }", "sampler \"cut\": expected either 'apply' (a filter) or 'pick' (a selector)"),
      ("decoders = { d = {} }", "decoder \"d\": 'run' is missing"),
      ("tools = { t = { run = 1 } }", "tool \"t\": 'run' must be a function, found integer"),
      (
        "tools = { t = { run = print, params = { n = { type = 'int' } } } }",
        "'type' must be \"number\""
      ),
      (
        "tools = { t = { run = print, params = { n = { type = 'integer', min = 1, default = 0 } } } }",
        "n: 'default' must be a whole number of 1 or more, found 0"
      ),
      ("hooks = { on_tokn = print }", "unknown hook 'on_tokn'"),
    ])
  func definitions(_ lua: String, _ expected: String) throws {
    let message = try PluginBench().failure("lacuna.plugin { \(lua) }")
    #expect(message.contains("bad argument #1 to 'plugin'"), "\(message)")
    #expect(message.contains(expected), "\(message)")
  }

  @Test("require inside a plugin sees its own folder and lacuna, and no other")
  func require() throws {
    let bench = try PluginBench()
    try bench.write(
      "whole", provides: ["tool:sum"],
      "tools = { sum = { run = function() return require('part').value + require('deep').value end } }")
    try bench.directory.write("return { value = 40 }", to: "whole/part.lua")
    try bench.directory.write("return { value = 2 }", to: "whole/deep/init.lua")
    try bench.directory.write("return { value = 1 }", to: "outside.lua")
    try bench.write("curious", provides: ["tool:look"], "tools = { look = { run = function() require 'part' end } }")
    try bench.run("assert(lacuna.tool('sum', {}) == 42)")
    try bench.run("local _, err = lacuna.tool('look', {}); assert(err.message:find('part', 1, true), err.message)")
  }

  @Test("a plugin that another one needs must be there in the right version")
  func requirements() throws {
    let bench = try PluginBench()
    try bench.write("base", provides: ["tool:two"], "tools = { two = { run = function() return 2 end } }")
    try bench.write(
      "user", provides: ["tool:four"], fields: ", \"requires\": { \"base\": \"^1.2\" }",
      "tools = { four = { run = function(_, ctx) return 2 * ctx:tool('base/two') end } }")
    try bench.write(
      "picky", provides: ["tool:no"], fields: ", \"requires\": { \"base\": \">=2\" }",
      "tools = { no = { run = function() return 1 end } }")
    try bench.run("assert(lacuna.tool('four') == 4)")
    #expect(try bench.failure("lacuna.tool('no')").contains("requires.base: expected >=2, found 1.2.3"))
  }

  @Test("plugins that call each other without end are stopped")
  func recursion() throws {
    let bench = try PluginBench()
    try bench.write(
      "loop", provides: ["tool:again"], "tools = { again = { run = function(_, ctx) return ctx:tool('again') end } }")
    try bench.run(
      """
      local value, err = lacuna.tool('again')
      assert(value == nil and err.message:find('16 deep', 1, true), err and err.message)
      """)
  }

  @Test("a script that is stopped stops inside a plugin")
  func cancelled() throws {
    let bench = try PluginBench()
    try bench.write(
      "endless", provides: ["tool:spin"],
      "tools = { spin = { run = function() print('spinning'); while true do pcall(function() end) end end } }")
    var environment = try bench.environment
    let started = DispatchSemaphore(value: 0)
    environment.write = { _ in started.signal() }
    let host = LuaHost(environment)
    // A thread of its own: tasks wait while other tests keep the pool busy.
    Thread.detachNewThread {
      started.wait()
      host.cancel()
    }
    do throws(ScriptError) {
      try host.run(LuaHost.Script(name: "test", source: "require('lacuna').tool('spin')"))
      Issue.record("the loop ended by itself")
    } catch {
      #expect(error.code == "cancelled")
    }
  }

  @Test("a locked plugin that has changed is refused, and its new capabilities are named")
  func locked() throws {
    let bench = try PluginBench()
    try bench.write("my-cut", provides: ["sampler:cut"], Self.cut)
    var search = try bench.environment.plugins
    let lock = try PluginLock(try PluginCatalog(search).plugins)
    try bench.directory.write(lock.text, to: "plugins.lock")
    search.lock = try PluginLock(path: "\(bench.directory.path)/plugins.lock")
    #expect(search.lock == lock)

    func chain() throws {
      var environment = try bench.environment
      environment.plugins = search
      try LuaHost(environment).run(
        LuaHost.Script(name: "test", source: "require('lacuna').sampler.chain { 'cut', 'dist' }"))
    }
    try chain()
    try bench.write("my-cut", provides: ["sampler:cut"], fields: ", \"capabilities\": [\"model.score\"]", Self.cut)
    do {
      try chain()
      Issue.record("a changed plugin ran")
    } catch let error as ScriptError {
      #expect(error.message.contains("plugins.lock: my-cut: expected SHA-256"))
    }
    let changed = try PluginFolder(path: "\(bench.directory.path)/my-cut", origin: .given)
    #expect(try lock.changes(of: changed) == ["+ capability model.score", "content changed"])
  }

  @Test("a reload takes what has changed, and keeps the old one where the new one is broken")
  func reload() throws {
    let bench = try PluginBench()
    func write(_ value: String) throws {
      try bench.write("num", provides: ["tool:num"], "tools = { num = { run = function() return \(value) end } }")
    }
    try write("1")
    let environment = try bench.environment
    let outcomes = try ScriptThread.run {
      Result { () -> [String] in
        var log: [String] = []
        let registry = PluginRegistry(environment)
        func call() throws { log.append("\(try registry.callTool("num", [:]))") }
        func reload(forUse use: () throws -> Void = {}) {
          let (replaced, kept) = registry.reload(forUse: use)
          log.append("\(replaced) \(kept.map(\.name))")
        }
        try call()
        registry.watch()
        reload()
        try write("2")
        reload()
        try call()
        try write("nonsense nonsense")
        reload()
        reload()
        try call()
        try write("3")
        reload()
        try call()
        // One that loads, and does not serve.
        try write("{}")
        reload { throw LacunaError(.invalidArgument, "\(try registry.callTool("num", [:])) is no number") }
        try call()
        return log
      }
    }.get()
    #expect(
      outcomes == [
        "1", "[] []", "[\"num\"] []", "2", "[] [\"num\"]", "[] []", "2", "[\"num\"] []", "3", "[] [\"num\"]", "3",
      ])
  }
}
