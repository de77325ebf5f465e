internal import Crypto
public import LacunaEngine

/// All that a generation's result depends on, as it is put into results under `repro`, and read again by `lacuna
/// replay`.
///
/// Plain data: { lacuna, api, model = { name, path, sha256, load }, weights, kernel, plugins, seed, stream, prompt,
/// options, script_parts, result_sha256 }.
public struct Reproduction {
  private var fields: [(key: LuaValue, value: LuaValue)] = []
  private var options: [(key: LuaValue, value: LuaValue)] = []
  private var plugins: [(name: String, value: LuaValue)] = []
  /// What only the script has that ran: functions.
  private var scriptParts: [String] = []

  /// - Parameter prompt: the session's tokens before the generation.
  public init(engine: Engine, prompt: [TokenID], seed: UInt64, stream: UInt64) {
    let info = engine.info
    fields = [
      (.string("lacuna"), .string(LacunaScript.version)), (.string("api"), .count(LacunaScript.apiLevel)),
      (
        .string("model"),
        .record([
          "name": .string(info.name), "path": .string(info.path), "sha256": .string(info.fingerprint),
          "load": .record([
            "weights": .string(engine.options.weights.rawValue), "head": .bool(engine.options.quantizesHead),
            "precision": .string(engine.options.precision.rawValue), "kv": .string(info.kvType.rawValue),
          ]),
        ])
      ),
      (.string("weights"), .text(info.mainWeightType?.rawValue)), (.string("kernel"), .string(info.kernels)),
      (.string("seed"), .integer(Int64(bitPattern: seed))), (.string("stream"), .integer(Int64(bitPattern: stream))),
      (.string("prompt"), .list(prompt.map { .integer(Int64($0)) })),
    ]
  }

  // MARK: Options

  mutating func set(_ name: String, _ value: LuaValue) {
    if !value.isNil { options.append((.string(name), value)) }
  }

  /// Changes to the model, which are vectors of the script's.
  mutating func set(patchCount: Int) {
    if patchCount > 0 { scriptParts.append("\(patchCount) patches of the session") }
  }

  public mutating func set(maxTokens: Int?, stop: [String]) {
    set("max_tokens", maxTokens.map { .count($0) } ?? .nil)
    if !stop.isEmpty { set("stop", .list(stop.map { .string($0) })) }
  }

  /// A file of hooks, by its content.
  /// - Throws: `unreadable`.
  public mutating func set(hooksFile path: String) throws(LacunaError) {
    let digest = Self.hex(SHA256.hash(data: try ScriptFile.read(path)))
    set("hooks", .list([.record(["file": .string(path), "sha256": .string(digest)])]))
  }

  public mutating func set(hooksPlugin name: String, _ registry: PluginRegistry) throws {
    set("hooks", .list([.string(name)]))
    try add(try registry.find(.hooks, name).plugin, registry)
  }

  mutating func set(_ hooks: HookSet?, _ registry: PluginRegistry) throws {
    guard let hooks, !hooks.hooks.isEmpty else { return }
    for hook in hooks.hooks {
      if let owner = hook.owner { try add(owner, registry) } else { scriptParts.append("hooks \"\(hook.name)\"") }
    }
    let names = hooks.hooks.compactMap { $0.owner?.name }
    if !names.isEmpty { set("hooks", .list(names.map { .string($0) })) }
  }

  /// Stages as the command line has them.
  public mutating func set(_ stages: [StageDescription], _ registry: PluginRegistry) throws {
    try set(ChainObject(stages.map { ChainObject.Stage($0) }), registry)
  }

  mutating func set(_ chain: ChainObject, _ registry: PluginRegistry) throws {
    let list = try chain.stages.map { stage -> LuaValue in
      switch stage {
      case .native(let description):
        return Self.stage(
          description.name,
          LuaTable(fields: description.parameters.map { (.string($0.key), LuaValue($0.value)) }))
      case .plugin(let word, let given):
        let sampler = try registry.checkedSampler(word, given)
        try add(sampler.plugin, registry)
        return Self.stage(sampler.label, sampler.parameters)
      case .script(let definition, _):
        scriptParts.append("sampler stage \"\(definition.name)\"")
        return Self.stage(definition.name, LuaTable())
      }
    }
    set("sampler", .list(list))
  }

  mutating func set(decoder label: String, _ parameters: LuaTable, _ plugin: Plugin, _ registry: PluginRegistry) throws
  {
    set("decoder", Self.stage(label, parameters))
    try add(plugin, registry)
  }

  private static func stage(_ name: String, _ parameters: LuaTable) -> LuaValue {
    .record(["name": .string(name), "params": parameters.isEmpty ? .nil : LuaValue.table(parameters).recordable])
  }

  private mutating func add(_ plugin: Plugin, _ registry: PluginRegistry) throws {
    guard !plugins.contains(where: { $0.name == plugin.name }) else { return }
    plugins.append(
      (
        plugin.name,
        .record([
          "name": .string(plugin.name), "version": .string("\(plugin.folder.manifest.version)"),
          "sha256": .string(plugin.digest),
        ])
      ))
    for name in plugin.folder.manifest.requires.keys.sorted() { try add(try registry.plugin(named: name), registry) }
  }

  // MARK: Results

  /// - Parameter logProbabilities: empty where nobody counted them, as decoders do not.
  func value(tokens: [TokenID], logProbabilities: [Float]) -> LuaValue {
    var all = fields
    all.append((.string("plugins"), .table(LuaTable(array: plugins.map(\.value), isMarkedAsArray: true))))
    all.append((.string("options"), .table(LuaTable(fields: options))))
    if !scriptParts.isEmpty { all.append((.string("script_parts"), .list(scriptParts.map { .string($0) }))) }
    all.append((.string("result_sha256"), .string(Self.digest(tokens, logProbabilities))))
    return .table(LuaTable(fields: all))
  }

  /// The same as JSON, on one line.
  public func json(tokens: [TokenID], logProbabilities: [Float]) -> String {
    JSONCodec.line(value(tokens: tokens, logProbabilities: logProbabilities))
  }

  /// SHA-256, in hex, over the ids and then the bits of the log-probabilities, each as four bytes, the least first.
  static func digest(_ tokens: [TokenID], _ logProbabilities: [Float]) -> String {
    var bytes: [UInt8] = []
    for word in tokens.map({ UInt32(bitPattern: $0) }) + logProbabilities.map(\.bitPattern) {
      withUnsafeBytes(of: word.littleEndian) { bytes.append(contentsOf: $0) }
    }
    return hex(SHA256.hash(data: bytes))
  }

  static func hex(_ digest: some Sequence<UInt8>) -> String {
    digest.map { $0 < 16 ? "0" + String($0, radix: 16) : String($0, radix: 16) }.joined()
  }
}

extension LuaValue {
  /// A parameter as JSON can have it: token ids become names, infinities texts.
  var recordable: LuaValue {
    switch self {
    case .number(let value) where value.isInfinite: return .string(value < 0 ? "-inf" : "inf")
    case .table(let table):
      return .table(
        LuaTable(
          array: table.array.map(\.recordable),
          fields: table.fields.map { key, value in
            (key.exactInteger.map { LuaValue.string("\($0)") } ?? key, value.recordable)
          }, isMarkedAsArray: table.isMarkedAsArray))
    default: return self
    }
  }

  /// The parameter that was recorded so.
  var unrecorded: LuaValue {
    switch self {
    case .string("-inf"): return .number(-.infinity)
    case .string("inf"): return .number(.infinity)
    case .table(let table):
      return .table(
        LuaTable(
          array: table.array.map(\.unrecorded),
          fields: table.fields.map { key, value in
            if case .string(let name) = key, let id = Int64(name) { return (.integer(id), value.unrecorded) }
            return (key, value.unrecorded)
          }, isMarkedAsArray: table.isMarkedAsArray))
    default: return self
    }
  }
}

extension Engine.Info {
  /// The type that holds most bytes: what the model runs in.
  var mainWeightType: WeightType? { weightBytes.max { ($0.value, $0.key.rawValue) < ($1.value, $1.key.rawValue) }?.key }
}
