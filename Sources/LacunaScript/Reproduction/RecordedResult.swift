public import LacunaEngine

/// A result with its `repro`, as a script wrote it or `lacuna generate --json` printed it.
public struct RecordedResult {
  let file: String
  let text: String
  let tokens: [TokenID]
  /// Nil where they were not written down; `digest` still knows their bits.
  let logProbabilities: [Float]?
  let digest: String?

  let lacuna: String
  public let modelName: String
  public let modelPath: String
  let modelDigest: String
  let weights: String?
  let kernel: String
  let plugins: [(name: String, version: String, digest: String)]
  let seed, stream: UInt64
  let prompt: [TokenID]
  let options: LuaTable
  let scriptParts: [String]
  /// How the model was loaded.
  public let engineOptions: Engine.Options

  /// - Parameter file: for messages.
  /// - Throws: `malformed` naming the field that is missing or is something else.
  public init(json: String, file: String) throws(LacunaError) {
    let fields = RecordFields(LuaValue(try JSONValue.parse(Array(json.utf8), file: file)), file: file, path: "")
    self.file = file
    text = try fields.string("text")
    tokens = try fields.tokens(fields.has("ids") ? "ids" : "tokens")
    logProbabilities = fields.has("logprobs") ? try fields.numbers("logprobs").map { Float($0) } : nil
    let repro = try fields.record("repro")
    digest = repro.has("result_sha256") ? try repro.string("result_sha256") : nil
    lacuna = try repro.string("lacuna")
    let model = try repro.record("model")
    modelName = try model.string("name")
    modelPath = try model.string("path")
    modelDigest = try model.string("sha256")
    weights = repro.has("weights") ? try repro.string("weights") : nil
    kernel = try repro.string("kernel")
    seed = UInt64(bitPattern: try repro.integer("seed"))
    stream = UInt64(bitPattern: try repro.integer("stream"))
    prompt = try repro.tokens("prompt")
    options = try repro.record("options").table
    scriptParts = repro.has("script_parts") ? try repro.strings("script_parts") : []
    var plugins: [(name: String, version: String, digest: String)] = []
    for plugin in try repro.records("plugins") {
      plugins.append((try plugin.string("name"), try plugin.string("version"), try plugin.string("sha256")))
    }
    self.plugins = plugins
    let load = try model.record("load")
    engineOptions = try Self.options(load)
  }

  private static func options(_ load: RecordFields) throws(LacunaError) -> Engine.Options {
    var options = Engine.Options()
    options.weights = try load.choice("weights")
    options.quantizesHead = load.table["head"].isTrue
    options.precision = try load.choice("precision")
    options.kvType = try load.choice("kv") as Engine.KVType
    return options
  }
}

/// Fields of a record that was read from a file, with errors that name them.
private struct RecordFields {
  let table: LuaTable
  private let file: String
  private let path: String

  init(_ value: LuaValue, file: String, path: String) {
    if case .table(let table) = value { self.table = table } else { table = LuaTable() }
    self.file = file
    self.path = path
  }

  private func fault(_ name: String, _ expected: String) -> LacunaError {
    LacunaError(
      .malformed, file: file, field: path + name, expected: expected,
      found: table[name].isNil ? "none" : table[name].shown)
  }

  func has(_ name: String) -> Bool { !table[name].isNil }

  func string(_ name: String) throws(LacunaError) -> String {
    guard case .string(let text) = table[name] else { throw fault(name, "a string") }
    return text
  }

  func integer(_ name: String) throws(LacunaError) -> Int64 {
    guard let number = table[name].exactInteger else { throw fault(name, "a whole number") }
    return number
  }

  private func list(_ name: String, _ expected: String) throws(LacunaError) -> [LuaValue] {
    guard case .table(let list) = table[name], list.fields.isEmpty else { throw fault(name, expected) }
    return list.array
  }

  func tokens(_ name: String) throws(LacunaError) -> [TokenID] {
    let list = try list(name, "a list of token ids")
    let tokens = list.compactMap { $0.exactInteger.flatMap { TokenID(exactly: $0) } }
    guard tokens.count == list.count else { throw fault(name, "a list of token ids") }
    return tokens
  }

  func numbers(_ name: String) throws(LacunaError) -> [Double] {
    let list = try list(name, "a list of numbers")
    let numbers = list.compactMap(\.double)
    guard numbers.count == list.count else { throw fault(name, "a list of numbers") }
    return numbers
  }

  func strings(_ name: String) throws(LacunaError) -> [String] {
    let list = try list(name, "a list of strings")
    let strings = list.compactMap { if case .string(let text) = $0 { text } else { String?.none } }
    guard strings.count == list.count else { throw fault(name, "a list of strings") }
    return strings
  }

  func choice<Choice: RawRepresentable & CaseIterable>(_ name: String) throws(LacunaError) -> Choice
  where Choice.RawValue == String {
    guard case .string(let text) = table[name], let choice = Choice(rawValue: text) else {
      throw fault(name, "one of " + Choice.allCases.map(\.rawValue).joined(separator: ", "))
    }
    return choice
  }

  func record(_ name: String) throws(LacunaError) -> RecordFields {
    guard case .table = table[name] else { throw fault(name, "an object") }
    return RecordFields(table[name], file: file, path: "\(path)\(name).")
  }

  func records(_ name: String) throws(LacunaError) -> [RecordFields] {
    try list(name, "a list").map { RecordFields($0, file: file, path: "\(path)\(name).") }
  }
}

extension LuaValue {
  fileprivate var isTrue: Bool { if case .bool(true) = self { true } else { false } }
}
