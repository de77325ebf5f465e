internal import LacunaEngine

extension ScriptContext {
  /// `lacuna.json`: encode, decode, null, array.
  func registerJSON() {
    state.register("lacuna.json", "encode", "any, table?") { call in
      let indent = try call.options(2, ["indent"]).integer("indent", in: 0...8) ?? 0
      var codec = JSONCodec(indent: indent)
      do throws(JSONCodec.Refusal) {
        return [.string(try codec.encode(call[1]))]
      } catch {
        throw HostFault.argument(1, error.message)
      }
    }
    state.register("lacuna.json", "decode", "string") { call in
      do throws(LacunaError) {
        return [LuaValue(try JSONValue.parse(Array(call.string(1).utf8), file: "json"))]
      } catch {
        return [.nil, .error(code: "malformed", message: error.message)]
      }
    }
    // Marks a table as an array, which an empty one cannot show.
    state.register("lacuna.json", "array", "table?") { call in
      guard case .table(var table) = call[1] else { return [.table(LuaTable(isMarkedAsArray: true))] }
      guard table.fields.isEmpty else { throw HostFault.argument(1, "expected a list, found named fields") }
      table.isMarkedAsArray = true
      return [.table(table)]
    }
  }
}

extension LuaValue {
  /// Objects become tables, null `lacuna.json.null`, arrays marked tables.
  init(_ json: JSONValue) {
    switch json {
    case .null: self = .null
    case .bool(let value): self = .bool(value)
    case .integer(let value): self = .integer(Int64(value))
    case .double(let value): self = .number(value)
    case .string(let text): self = .string(text)
    case .array(let values): self = .table(LuaTable(array: values.map { LuaValue($0) }, isMarkedAsArray: true))
    case .object(let members):
      self = .table(LuaTable(fields: members.map { (.string($0.key), LuaValue($0.value)) }))
    }
  }
}

/// Plain data as JSON text. Names are sorted: the order of a Lua table's keys differs from run to run.
struct JSONCodec {
  struct Refusal: Error {
    let message: String
  }

  private let indent: Int
  private var text = ""

  init(indent: Int = 0) { self.indent = indent }

  /// For logs: what cannot be written is named by its kind.
  static func line(_ value: LuaValue, indent: Int = 0) -> String {
    var codec = JSONCodec(indent: indent)
    do throws(Refusal) { return try codec.encode(value) } catch { return value.kind }
  }

  mutating func encode(_ value: LuaValue) throws(Refusal) -> String {
    text = ""
    try append(value, depth: 0)
    return text
  }

  private mutating func append(_ value: LuaValue, depth: Int) throws(Refusal) {
    switch value {
    case .nil, .null: text += "null"
    case .bool(let value): text += value ? "true" : "false"
    case .integer(let value): text += "\(value)"
    case .number(let value):
      guard value.isFinite else { throw Refusal(message: "JSON has no \(value)") }
      text += "\(value)"
    case .string(let string): append(string)
    case .table(let table): try append(table, depth: depth)
    default: throw Refusal(message: "a \(value.kind) is not plain data")
    }
  }

  private mutating func append(_ table: LuaTable, depth: Int) throws(Refusal) {
    if table.fields.isEmpty, table.isMarkedAsArray || !table.array.isEmpty {
      text += "["
      for (index, element) in table.array.enumerated() {
        if index > 0 { text += "," }
        newLine(depth + 1)
        try append(element, depth: depth + 1)
      }
      if !table.array.isEmpty { newLine(depth) }
      text += "]"
      return
    }
    guard table.array.isEmpty else {
      throw Refusal(message: "a table has both list elements and named fields, which JSON has not")
    }
    var members: [(name: String, value: LuaValue)] = []
    for (key, value) in table.fields {
      guard case .string(let name) = key else {
        throw Refusal(message: "a JSON object's names must be strings, found a \(key.kind) (\(key.shown))")
      }
      members.append((name, value))
    }
    text += "{"
    for (index, member) in members.sorted(by: { $0.name < $1.name }).enumerated() {
      if index > 0 { text += "," }
      newLine(depth + 1)
      append(member.name)
      text += indent > 0 ? ": " : ":"
      try append(member.value, depth: depth + 1)
    }
    if !members.isEmpty { newLine(depth) }
    text += "}"
  }

  private mutating func newLine(_ depth: Int) {
    if indent > 0 { text += "\n" + String(repeating: " ", count: indent * depth) }
  }

  private mutating func append(_ string: String) {
    text += "\""
    for scalar in string.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\r": text += "\\r"
      case "\t": text += "\\t"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: text.unicodeScalars.append(scalar)
      }
    }
    text += "\""
  }
}
