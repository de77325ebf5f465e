extension JSONReader {
  /// Reads a value of at most `limit` parts, which it counts down: the parts of a document that are small in every
  /// honest file stay small in memory in the others as well.
  mutating func readValue(limit: inout Int) throws(LacunaError) -> JSONValue {
    limit -= 1
    guard limit >= 0 else { throw failure("expected fewer values, found too many") }
    var parts = limit
    let value: JSONValue
    switch try peekKind() {
    case .object:
      var members: [String: JSONValue] = [:]
      try readObject { (reader, name) throws(LacunaError) in members[name] = try reader.readValue(limit: &parts) }
      value = .object(members)
    case .array:
      var elements: [JSONValue] = []
      try readArray { (reader) throws(LacunaError) in elements.append(try reader.readValue(limit: &parts)) }
      value = .array(elements)
    default: value = try readValue()
    }
    limit = parts
    return value
  }
}

extension JSONValue {
  package var string: String? { if case .string(let text) = self { text } else { nil } }
  var bool: Bool? { if case .bool(let flag) = self { flag } else { nil } }
  package var integer: Int? { if case .integer(let value) = self { value } else { nil } }
  package var elements: [JSONValue]? { if case .array(let values) = self { values } else { nil } }
  var members: [String: JSONValue]? { if case .object(let values) = self { values } else { nil } }
  var isNull: Bool { self == .null }

  /// The member, with null taken for absence.
  func member(_ name: String) -> JSONValue? { self[name].flatMap { $0.isNull ? nil : $0 } }

  /// Hugging Face's components name their kind.
  var type: String { member("type")?.string ?? "" }
}
