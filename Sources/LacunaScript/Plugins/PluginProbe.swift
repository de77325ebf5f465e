package import LacunaEngine
internal import Synchronization

/// A plugin's probe with its parameters. Used from the thread of its registry, but for `interrupt`.
package struct PluginProbe {
  /// A model beside the one that is measured.
  package enum Companion: String, CaseIterable, Sendable {
    case original, reference
  }

  /// "plugin/probe".
  package let name: String
  let registry: PluginRegistry
  let params: LuaTable
  private let loaded: Loaded

  /// The plugin as the registry has it: another one when a limit has ended the first.
  private final class Loaded: @unchecked Sendable {
    // SAFETY: used from other threads for `interrupt` alone, which the bridge allows, and replaced under the mutex.
    private(set) var plugin: Plugin
    private(set) var definition: PluginKinds.Probe
    private let isChanging = Mutex<Void>(())

    init(_ plugin: Plugin, _ definition: PluginKinds.Probe) {
      self.plugin = plugin
      self.definition = definition
    }

    func replace(_ plugin: Plugin, _ definition: PluginKinds.Probe) {
      isChanging.withLock { _ in
        self.plugin = plugin
        self.definition = definition
      }
    }

    func interrupt() { isChanging.withLock { _ in plugin.state.interrupt() } }
  }

  /// - Parameter text: NAME or NAME:PARAMETER=VALUE,...
  /// - Throws: `notFound` with what is near; `invalidArgument` naming the parameter; what the plugin's Lua fails with.
  package init(_ text: String, in registry: PluginRegistry) throws {
    let words = try SamplerChain.parse(text)
    guard words.count == 1, let word = words.first else {
      throw LacunaError(.invalidArgument, "expected a probe's name, found \"\(text)\"")
    }
    let given = LuaTable(fields: word.parameters.map { (key: LuaValue.string($0.key), value: LuaValue($0.value)) })
    try self.init(word.name, given, in: registry)
  }

  /// - Parameter parameters: as `parameters` gave them.
  package init(_ word: String, parameters: JSONValue, in registry: PluginRegistry) throws {
    guard case .table(let given) = LuaValue(parameters) else {
      throw LacunaError(.malformed, "probe \"\(word)\": expected parameters by name, found \(parameters.shown)")
    }
    try self.init(word, given, in: registry)
  }

  init(_ word: String, _ given: LuaTable, in registry: PluginRegistry) throws {
    let (plugin, short, definition) = try scriptErrors { try registry.probe(named: word) }
    self.registry = registry
    loaded = Loaded(plugin, definition)
    name = "\(plugin.name)/\(short)"
    params = try definition.schema.resolve(given, subject: "probe \"\(name)\"")
  }

  var plugin: Plugin { loaded.plugin }
  var definition: PluginKinds.Probe { loaded.definition }

  /// For a plugin that a limit has ended.
  func loadAnew() throws {
    let (plugin, _, definition) = try scriptErrors { try registry.probe(named: name) }
    loaded.replace(plugin, definition)
  }

  package var tasks: [String] { definition.tasks }
  package var companions: [Companion] { definition.companions }
  package var formats: [WeightChoice] { definition.formats }

  /// JSON with sorted names.
  package var parameters: String { JSONCodec.line(.table(params)) }

  /// SHA-256 of the plugin's files.
  package func digest() throws(LacunaError) -> String { try plugin.folder.digest() }

  /// Stops calls that are under way. From any thread.
  package var interrupt: @Sendable () -> Void { { [loaded] in loaded.interrupt() } }

  // MARK: Summing up

  /// The records of a summary, and those that it may compare them with.
  package struct Records {
    /// In the order of the data.
    package var own: [String] = []
    /// Those of the same rows by the other models, by the name that `ctx` has them under.
    package var others: [Companion: [String]] = [:]
    /// By format, where the probe was measured in several.
    package var formats: [String: [String]] = [:]
    package var format = ""
    package var split = ""

    package init() {}
  }

  /// What `summary` returned, as JSON with sorted names.
  /// - Throws: as `measure`; `malformed` for a record that is not JSON.
  package func summary(_ records: Records) throws -> String {
    let formats = try records.formats.sorted { $0.key < $1.key }
      .map { (key: LuaValue.string($0.key), value: try Self.list($0.value)) }
    let ctx = plugin.makeContext(
      model: nil, seed: 0, params: params,
      [
        "original": try records.others[.original].map(Self.list) ?? .nil,
        "reference": try records.others[.reference].map(Self.list) ?? .nil,
        "split": .string(records.split), "format": .text(records.format.isEmpty ? nil : records.format),
        "formats": formats.isEmpty ? .nil : .table(LuaTable(fields: formats)),
      ])
    return try call("summary", definition.summary, try Self.list(records.own), ctx)
  }

  private static func list(_ records: [String]) throws -> LuaValue {
    .list(try records.map { LuaValue(try JSONValue.parse(Array($0.utf8), file: "record")) })
  }

  private func call(_ what: String, _ function: LuaReference, _ argument: LuaValue, _ ctx: LuaValue) throws -> String {
    try naming(what) { try record(try plugin.call(function, [argument, ctx]), of: what) }
  }

  /// What a function returned, as JSON with sorted names.
  func record(_ results: [LuaValue], of what: String) throws -> String {
    let value = try plugin.value(results, of: what)
    guard case .table = value else {
      throw HostFault.error(code: "invalid_result", message: "expected a table of plain data, found \(value.shown)")
    }
    var codec = JSONCodec()
    do throws(JSONCodec.Refusal) { return try codec.encode(value) } catch {
      throw HostFault.error(code: "invalid_result", message: "expected a table of plain data: \(error.message)")
    }
  }

  /// - Throws: `ScriptError` that says which probe's, and what it was doing.
  func naming<Value>(_ what: String, _ body: () throws -> Value) throws -> Value {
    do {
      return try body()
    } catch {
      let error = ScriptError(any: error)
      throw ScriptError(
        code: error.code, message: "probe \"\(name)\", \(what): \(error.description)", traceback: error.traceback)
    }
  }
}
