package import LacunaEngine

/// A plugin's probe with its parameters. Used from the thread of its registry, but for `interrupt`.
package struct PluginProbe {
  /// A model beside the one that is measured.
  package enum Companion: String, CaseIterable, Sendable {
    case original, reference
  }

  /// "plugin/probe".
  package let name: String
  private let plugin: Plugin
  private let definition: PluginKinds.Probe
  private let params: LuaTable

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
    self.plugin = plugin
    self.definition = definition
    name = "\(plugin.name)/\(short)"
    params = try definition.schema.resolve(given, subject: "probe \"\(name)\"")
  }

  package var tasks: [String] { definition.tasks }
  package var companions: [Companion] { definition.companions }
  package var formats: [WeightChoice] { definition.formats }

  /// JSON with sorted names.
  package var parameters: String { JSONCodec.line(.table(params)) }

  /// SHA-256 of the plugin's files.
  package func digest() throws(LacunaError) -> String { try plugin.folder.digest() }

  /// Stops a call that is under way. From any thread.
  package var interrupt: @Sendable () -> Void {
    // SAFETY: the bridge allows an interrupt from any thread, and the state lives as long as the closure.
    nonisolated(unsafe) let state = plugin.state
    return { state.interrupt() }
  }

  // MARK: Measuring

  /// An item and where it comes from.
  package struct Item {
    package let task: String
    /// In its data file, from 0.
    package let row: Int
    package let split: String
    package let fields: JSONValue

    package init(task: String, row: Int, split: String, fields: JSONValue) {
      self.task = task
      self.row = row
      self.split = split
      self.fields = fields
    }
  }

  /// What `measure` returned, as JSON with sorted names.
  /// - Parameters:
  ///   - seed: the item's own.
  ///   - companions: those that the probe named.
  /// - Throws: `ScriptError` with the plugin's name, task and row.
  package func measure(
    _ item: Item, engine: Engine, companions: [Companion: Engine], seed: UInt64
  ) throws -> String {
    let ctx = plugin.makeContext(
      model: engine, seed: seed, params: params,
      [
        "original": handle(companions[.original]), "reference": handle(companions[.reference]),
        "task": .string(item.task), "row": .count(item.row), "split": .string(item.split),
      ])
    return try call("measure, \(item.task), row \(item.row)", definition.measure, LuaValue(item.fields), ctx)
  }

  private func handle(_ engine: Engine?) -> LuaValue { engine.map { .object(plugin.context.model($0)) } ?? .nil }

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
    do {
      let value = try plugin.value(try plugin.call(function, [argument, ctx]), of: what)
      guard case .table = value else {
        throw HostFault.error(code: "invalid_result", message: "expected a table of plain data, found \(value.shown)")
      }
      var codec = JSONCodec()
      do throws(JSONCodec.Refusal) { return try codec.encode(value) } catch {
        throw HostFault.error(code: "invalid_result", message: "expected a table of plain data: \(error.message)")
      }
    } catch {
      let error = ScriptError(any: error)
      throw ScriptError(
        code: error.code, message: "probe \"\(name)\", \(what): \(error.description)", traceback: error.traceback)
    }
  }
}
