/// A small JSON document in memory. For large files use `JSONReader`.
package indirect enum JSONValue: Sendable, Equatable {
  case null
  case bool(Bool)
  case integer(Int)
  case double(Double)
  case string(String)
  case array([JSONValue])
  case object([String: JSONValue])

  /// - Parameter file: how the source is called in messages.
  package static func parse(_ bytes: [UInt8], file: String) throws(LacunaError) -> JSONValue {
    try JSONReader.read(bytes, file: file) { (reader) throws(LacunaError) in try reader.readValue() }
  }

  /// The value as a message shows it: scalars as they are, containers by kind.
  package var shown: String {
    switch self {
    case .null: "null"
    case .bool(let value): value ? "true" : "false"
    case .integer(let value): "\(value)"
    case .double(let value): "\(value)"
    case .string(let value): "\"\(value.clipped)\""
    case .array(let elements): "an array of \(elements.count)"
    case .object: "an object"
    }
  }

  /// The member of an object; nil where this is none.
  package subscript(_ name: String) -> JSONValue? {
    if case .object(let members) = self { members[name] } else { nil }
  }
}

extension JSONReader {
  package mutating func readValue() throws(LacunaError) -> JSONValue {
    switch try peekKind() {
    case .object:
      var members: [String: JSONValue] = [:]
      try readObject { (reader, name) throws(LacunaError) in members[name] = try reader.readValue() }
      return .object(members)
    case .array:
      var elements: [JSONValue] = []
      try readArray { (reader) throws(LacunaError) in elements.append(try reader.readValue()) }
      return .array(elements)
    case .string: return .string(try readString())
    case .number:
      switch try readNumber() {
      case .integer(let value): return .integer(value)
      case .double(let value): return .double(value)
      }
    case .boolean: return .bool(try readBool())
    case .null:
      try readNull()
      return .null
    }
  }
}
