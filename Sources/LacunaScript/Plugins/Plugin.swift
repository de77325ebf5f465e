package import LacunaEngine

/// A loaded plugin: its Lua state, and what it defines. Used from the thread of its registry.
package final class Plugin {
  package let folder: PluginFolder
  let runtime: ScriptRuntime
  package let kinds: PluginKinds
  /// SHA-256 of its files when it was loaded.
  let digest: String
  /// Functions of the `ctx` that decoders, pipelines, probes and tools get.
  private let contextMethods: [(name: String, function: LuaReference)]

  package var name: String { folder.name }
  var state: LuaState { runtime.state }
  var context: ScriptContext { runtime.context }

  /// Runs the plugin's entry file in a state of its own.
  /// - Throws: `ScriptError` with the plugin's name and the line; `LacunaError` where manifest and Lua disagree.
  init(_ folder: PluginFolder, registry: PluginRegistry) throws {
    self.folder = folder
    digest = try folder.digest()
    runtime = try PluginStates.make(for: folder, registry: registry)
    let file = "\(folder.path)/\(folder.manifest.entry)"
    let chunk = try runtime.state.load(
      try ScriptFile.read(file), name: "@\(folder.name)/\(folder.manifest.entry)")
    let value = try runtime.state.call(chunk).first ?? .nil
    kinds = try PluginKinds(value) { .error(code: "malformed", message: "\(file): \($0)") }
    contextMethods = try Self.makeContextMethods(runtime.state)
    try checkProvisions()
  }

  /// The manifest is what other plugins and the command line go by.
  private func checkProvisions() throws(LacunaError) {
    let (promised, found) = (Set(folder.manifest.provides), kinds.provisions)
    func list(_ provisions: Set<PluginManifest.Provision>) -> String {
      provisions.map { "\"\($0)\"" }.sorted().joined(separator: ", ")
    }
    let file = "\(folder.path)/\(PluginManifest.fileName)"
    if !promised.subtracting(found).isEmpty {
      throw LacunaError(
        .malformed, file: file, field: "provides", expected: "only what \(folder.manifest.entry) defines",
        found: list(promised.subtracting(found)))
    }
    if !found.subtracting(promised).isEmpty {
      throw LacunaError(
        .malformed, file: file, field: "provides", expected: "all that \(folder.manifest.entry) defines",
        found: "no \(list(found.subtracting(promised)))")
    }
  }

  // MARK: Calls

  /// Calls a function of the plugin. Arguments and results are plain data and handles.
  func call(_ function: LuaReference, _ arguments: [LuaValue]) throws -> [LuaValue] {
    try state.call(function, arguments)
  }

  /// What a run function gets as `ctx`: { plugin, model, seed, params, tool(), render(), pipeline() }.
  package func makeContext(
    model: Engine?, seed: UInt64, params: LuaTable? = nil, _ more: KeyValuePairs<String, LuaValue> = [:]
  ) -> LuaValue {
    var fields: [(key: LuaValue, value: LuaValue)] = [
      (.string("plugin"), .string(name)), (.string("seed"), .integer(Int64(bitPattern: seed))),
    ]
    if let model { fields.append((.string("model"), .object(context.model(model)))) }
    if let params { fields.append((.string("params"), .table(params))) }
    for (name, value) in more where !value.isNil { fields.append((.string(name), value)) }
    for method in contextMethods { fields.append((.string(method.name), .reference(method.function))) }
    return .table(LuaTable(fields: fields))
  }

  private static func makeContextMethods(_ state: LuaState) throws -> [(name: String, function: LuaReference)] {
    let source = """
      local lacuna <const> = require "lacuna"
      return
        function(_, name, args) return lacuna.tool(name, args) end,
        function(_, name, input) return lacuna.pipeline(name, input) end,
        function(ctx, template, messages) return lacuna.render(template, messages, ctx.model) end
      """
    let functions = try state.call(try state.load(Array(source.utf8), name: "=ctx"))
    return zip(["tool", "pipeline", "render"], functions).compactMap { name, value in
      if case .function(let function) = value { (name, function) } else { nil }
    }
  }

  /// The value that a function returned, or the error behind its nil.
  /// - Throws: `HostFault` with the plugin's own code and message.
  func value(_ results: [LuaValue], of function: String) throws -> LuaValue {
    guard let first = results.first, !first.isNil else {
      guard results.count > 1, !results[1].isNil else {
        throw HostFault.error(
          code: "invalid_result", message: "plugin \(name): \(function) must return a value or nil, err; found nil")
      }
      if case .table(let error) = results[1], case .string(let message) = error["message"] {
        let code = if case .string(let code) = error["code"] { code } else { "error" }
        throw HostFault.error(code: code, message: message)
      }
      throw HostFault.error(code: "error", message: results[1].plainText)
    }
    return first
  }
}

extension PluginManifest.Provision: CustomStringConvertible {
  /// As the manifest writes it: "sampler:min_p", "hooks".
  public var description: String { kind == .hooks ? kind.rawValue : "\(kind.rawValue):\(name)" }
}

/// Makes the states that plugins run in.
enum PluginStates {
  static func make(for folder: PluginFolder, registry: PluginRegistry) throws -> ScriptRuntime {
    let runtime = try ScriptRuntime(
      registry.environment, registry: registry, plugin: folder.name, policy: SandboxPolicy(folder))
    // The working directory is not the plugin's business: `require` sees its own folder and lacuna.* only.
    try runtime.state.setSearchFolder(folder.path)
    return runtime
  }
}
