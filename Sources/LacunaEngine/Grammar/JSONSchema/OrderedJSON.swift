/// A JSON document whose objects keep the order of their members, which decides the order in which a schema's
/// properties are written.
package indirect enum OrderedJSON: Sendable {
  case null
  case bool(Bool)
  case integer(Int)
  case double(Double)
  case string(String)
  case array([OrderedJSON])
  case object([(name: String, value: OrderedJSON)])

  /// - Parameter file: how the source is called in messages.
  package static func parse(_ text: String, file: String) throws(LacunaError) -> OrderedJSON {
    var value = OrderedJSON.null
    try JSONReader.read(Array(text.utf8), file: file) { (reader) throws(LacunaError) in
      value = try Self.read(&reader)
    }
    return value
  }

  private static func read(_ reader: inout JSONReader) throws(LacunaError) -> OrderedJSON {
    switch try reader.peekKind() {
    case .object:
      var members: [(name: String, value: OrderedJSON)] = []
      try reader.readObject { (reader, name) throws(LacunaError) in members.append((name, try Self.read(&reader))) }
      return .object(members)
    case .array:
      var elements: [OrderedJSON] = []
      try reader.readArray { (reader) throws(LacunaError) in elements.append(try Self.read(&reader)) }
      return .array(elements)
    case .string: return .string(try reader.readString())
    case .number:
      switch try reader.readNumber() {
      case .integer(let value): return .integer(value)
      case .double(let value): return .double(value)
      }
    case .boolean: return .bool(try reader.readBool())
    case .null:
      try reader.readNull()
      return .null
    }
  }

  package subscript(_ name: String) -> OrderedJSON? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.name == name }?.value
  }

  /// As JSON text without spaces.
  package var text: String { String(decoding: forWriting.compact(), as: UTF8.self) }

  private var forWriting: JSONText {
    switch self {
    case .null: .null
    case .bool(let value): .bool(value)
    case .integer(let value): .integer(value)
    case .double(let value): .real(value)
    case .string(let value): .string(value)
    case .array(let elements): .array(elements.map(\.forWriting))
    case .object(let members): .object(members.map { ($0.name, $0.value.forWriting) })
    }
  }
}
