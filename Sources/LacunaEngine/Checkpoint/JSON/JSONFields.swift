/// Typed, checked access to an object of a configuration file. A member that is null counts as absent.
package struct JSONFields: Sendable {
  /// How the file is called in messages.
  package let file: String
  /// "quantization_config.", or empty at the top.
  package let prefix: String
  private let members: [String: JSONValue]
  private let nulls: Set<String>

  /// - Throws: `malformed` where `bytes` are not a JSON object.
  package init(_ bytes: [UInt8], file: String) throws(LacunaError) {
    guard case .object(let members) = try JSONValue.parse(bytes, file: file) else {
      throw LacunaError(.malformed, file: file, field: "the file", expected: "a JSON object", found: "another value")
    }
    self.init(file: file, prefix: "", members: members)
  }

  private init(file: String, prefix: String, members: [String: JSONValue]) {
    self.file = file
    self.prefix = prefix
    self.members = members.filter { $0.value != .null }
    nulls = Set(members.filter { $0.value == .null }.keys)
  }

  package var names: [String] { members.keys.sorted() }

  package subscript(_ name: String) -> JSONValue? { members[name] }

  /// Whether the member is there and null, where that means something else than its absence.
  package func hasNull(_ name: String) -> Bool { nulls.contains(name) }

  package func integer(_ name: String, in range: ClosedRange<Int>) throws(LacunaError) -> Int? {
    guard let value = members[name] else { return nil }
    guard case .integer(let number) = value, range.contains(number) else {
      throw refusal(name, "an integer from \(range.lowerBound) to \(range.upperBound)", value.shown)
    }
    return number
  }

  package func required(_ name: String, in range: ClosedRange<Int>) throws(LacunaError) -> Int {
    guard let value = try integer(name, in: range) else {
      throw refusal(name, "an integer from \(range.lowerBound) to \(range.upperBound)", "nothing")
    }
    return value
  }

  package func double(_ name: String, in range: ClosedRange<Double>) throws(LacunaError) -> Double? {
    guard let value = members[name] else { return nil }
    let number: Double? =
      switch value {
      case .integer(let integer): Double(integer)
      case .double(let double): double
      default: nil
      }
    guard let number, range.contains(number) else {
      throw refusal(name, "a number from \(range.lowerBound) to \(range.upperBound)", value.shown)
    }
    return number
  }

  package func bool(_ name: String) throws(LacunaError) -> Bool? {
    guard let value = members[name] else { return nil }
    guard case .bool(let flag) = value else { throw refusal(name, "true or false", value.shown) }
    return flag
  }

  package func string(_ name: String) throws(LacunaError) -> String? {
    guard let value = members[name] else { return nil }
    guard case .string(let text) = value else { throw refusal(name, "a string", value.shown) }
    return text
  }

  package func strings(_ name: String) throws(LacunaError) -> [String]? {
    guard let value = members[name] else { return nil }
    guard case .array(let elements) = value else { throw refusal(name, "an array of strings", value.shown) }
    var texts: [String] = []
    for element in elements {
      guard case .string(let text) = element else {
        throw refusal(name, "an array of strings", "\(element.shown) in it")
      }
      texts.append(text)
    }
    return texts
  }

  package func object(_ name: String) throws(LacunaError) -> JSONFields? {
    guard let value = members[name] else { return nil }
    guard case .object(let inner) = value else { throw refusal(name, "an object", value.shown) }
    return JSONFields(file: file, prefix: "\(prefix)\(name.clipped).", members: inner)
  }

  package func refusal(
    _ name: String, _ expected: String, _ found: String, _ code: LacunaError.Code = .malformed
  ) -> LacunaError {
    LacunaError(code, file: file, field: prefix + name.clipped, expected: expected, found: found)
  }

  /// Where the member is present, it must be one of these; anything else is more than we can run.
  package func expect(_ name: String, _ accepted: JSONValue...) throws(LacunaError) {
    guard let value = members[name], !accepted.contains(value) else { return }
    throw refusal(name, accepted.map(\.shown).joined(separator: " or "), value.shown, .unsupported)
  }
}
