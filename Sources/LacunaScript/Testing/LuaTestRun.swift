public import LacunaEngine

/// Runs files of tests: each returns `{ ["what is promised"] = function(t) ... end }`.
public struct LuaTestRun: Sendable {
  public struct Outcome: Sendable {
    public let file: String
    /// nil for the file itself, where it cannot be loaded.
    public let name: String?
    public let failure: ScriptError?
    public let milliseconds: Double
  }

  private let environment: ScriptEnvironment

  public init(_ environment: ScriptEnvironment) {
    var environment = environment
    environment.isTesting = true
    self.environment = environment
  }

  /// Every test of the file, by name; a file has a state of its own.
  /// - Parameter plugin: the folder of the plugin that the file tests, found before all others.
  public func run(_ file: String, plugin: String? = nil) -> [Outcome] {
    ScriptThread.run { outcomes(file, plugin) }
  }

  private func outcomes(_ file: String, _ plugin: String?) -> [Outcome] {
    var environment = environment
    if let plugin { environment.plugins.given.insert(plugin, at: 0) }
    do {
      let runtime = try ScriptRuntime(environment)
      let chunk = try runtime.load(LuaHost.Script(path: file))
      let value = try runtime.state.call(chunk).first ?? .nil
      guard case .table(let table) = value, table.array.isEmpty, !table.fields.isEmpty else {
        throw ScriptError(
          code: "malformed", message: "\(file): expected { [\"name\"] = function(t) ... end }, found \(value.shown)")
      }
      let tests = try table.fields.map { key, value -> (name: String, function: LuaReference) in
        guard case .string(let name) = key, case .function(let function) = value else {
          throw ScriptError(
            code: "malformed", message: "\(file): expected functions by name, found \(value.kind) under \(key.shown)")
        }
        return (name, function)
      }
      let module = try runtime.state.call(
        try runtime.state.load(Array("return function(test) test(require 'lacuna.test') end".utf8), name: "=test"))
      guard case .function(let invoke)? = module.first else { preconditionFailure("the chunk returns a function") }
      return tests.sorted { $0.name < $1.name }.map { test in
        let start = ContinuousClock.now
        var failure: ScriptError?
        do { try runtime.state.call(invoke, [.reference(test.function)], wantsResults: false) } catch {
          failure = ScriptError(error)
        }
        return Outcome(
          file: file, name: test.name, failure: failure, milliseconds: start.duration(to: .now).milliseconds)
      }
    } catch {
      return [Outcome(file: file, name: nil, failure: ScriptError(error), milliseconds: 0)]
    }
  }

  /// The files of tests at a path: itself, a plugin's, or those of everything below a folder. A plugin's folder stands
  /// beside its files.
  /// - Throws: `notFound`, or `unreadable`.
  public static func files(at path: String) throws(LacunaError) -> [(file: String, plugin: String?)] {
    guard isDirectory(path) else {
      guard fileExists(path) else { throw LacunaError(.notFound, "\(path): no such file or folder") }
      return [(path, plugin(above: path))]
    }
    var found: [(file: String, plugin: String?)] = []
    for file in try PluginFolder.files(of: path)
    where file == "test.lua" || file.hasSuffix("/test.lua") || file.hasSuffix("_test.lua") {
      found.append(("\(path)/\(file)", plugin(above: "\(path)/\(file)")))
    }
    return found
  }

  private static func plugin(above file: String) -> String? {
    var parts = file.split(separator: "/", omittingEmptySubsequences: false)
    parts.removeLast()
    while !parts.isEmpty {
      let folder = parts.joined(separator: "/")
      if fileExists("\(folder)/\(PluginManifest.fileName)") { return folder }
      parts.removeLast()
    }
    return nil
  }
}

extension Duration {
  fileprivate var milliseconds: Double {
    Double(components.seconds) * 1e3 + Double(components.attoseconds) * 1e-15
  }
}
