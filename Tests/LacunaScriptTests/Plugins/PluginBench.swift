import LacunaEngine
import LacunaScript
import LacunaTestSupport
import Testing

/// Plugins written by a test into a folder of their own, and scripts that use them.
struct PluginBench {
  let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  var environment: ScriptEnvironment {
    get throws {
      var environment = try ScriptBench.environment()
      environment.plugins.places = [(directory.path, .user)]
      return environment
    }
  }

  /// A plugin whose manifest says `provides`, with further fields.
  func write(_ name: String, provides: [String], fields: String = "", _ lua: String) throws {
    let list = provides.map { "\"\($0)\"" }.joined(separator: ", ")
    try directory.write(
      "{ \"name\": \"\(name)\", \"version\": \"1.2.3\", \"api\": 1, \"provides\": [\(list)]\(fields) }",
      to: "\(name)/plugin.json")
    try directory.write("local lacuna = require 'lacuna'\nreturn lacuna.plugin {\n\(lua)\n}\n", to: "\(name)/init.lua")
  }

  /// Runs `source` with `lacuna`, `m` and `s` at hand.
  func run(_ source: String) throws {
    try LuaHost(try environment).run(LuaHost.Script(name: "test", source: ScriptBench.prelude + source))
  }

  /// The message of the error that `source` ends with.
  func failure(_ source: String) throws -> String {
    do { try run(source) } catch let error as ScriptError { return error.description }
    throw ScriptBench.NoFailure()
  }
}
