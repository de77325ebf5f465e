/// Which keywords a schema may have.
extension JSONSchemaReader {
  /// Keywords by the type that they are about; a schema without `type` is of the first that one of its keywords names.
  static let keywords: [(type: String, keywords: [String])] = [
    ("object", ["properties", "required", "additionalProperties"]),
    ("array", ["items", "prefixItems", "minItems", "maxItems"]),
    ("string", ["minLength", "maxLength", "pattern", "format"]),
    ("number", ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]),
  ]

  private static let general: Set<String> = ["type", "const", "enum", "anyOf", "oneOf", "allOf", "$ref"]

  /// Keywords that say nothing about what is valid.
  private static let annotations: Set<String> = [
    "title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly", "$schema", "$id", "$comment",
    "$defs", "definitions", "$anchor", "contentEncoding", "contentMediaType",
  ]

  private static let known = annotations.union(general).union(keywords.flatMap(\.keywords))

  static func constrains(_ keyword: String) -> Bool { !annotations.contains(keyword) }

  func refuseUnknown(_ names: [String], at path: String) throws(LacunaError) {
    for name in names where !Self.known.contains(name) {
      throw Self.failure(
        path, "the keyword \"\(name)\" is not supported\(NearestName.hint(name, in: Self.known.sorted()))")
    }
  }
}

/// One schema that asks for what two ask for.
enum SchemaMerge {
  static func merged(_ a: OrderedJSON, _ b: OrderedJSON, at path: String) throws(LacunaError) -> OrderedJSON {
    if case .bool(true) = b { return a }
    guard case .object(var members) = a, case .object(let others) = b else {
      throw JSONSchemaReader.failure(path, "expected a schema that is an object, found \(b.text.prefix(40))")
    }
    for (name, value) in others {
      guard let index = members.firstIndex(where: { $0.name == name }) else {
        members.append((name, value))
        continue
      }
      members[index].value = try both(name, members[index].value, value, at: path)
    }
    return .object(members)
  }

  private static func both(
    _ name: String, _ a: OrderedJSON, _ b: OrderedJSON, at path: String
  ) throws(LacunaError) -> OrderedJSON {
    guard JSONSchemaReader.constrains(name), a.text != b.text else { return a }
    switch (name, a, b) {
    case ("properties", .object(var members), .object(let others)):
      for (property, value) in others {
        if let index = members.firstIndex(where: { $0.name == property }) {
          members[index].value = try merged(members[index].value, value, at: "\(path)/properties/\(property)")
        } else {
          members.append((property, value))
        }
      }
      return .object(members)
    case ("required", .array(let names), .array(let others)):
      let known = Set(names.map(\.text))
      return .array(names + others.filter { !known.contains($0.text) })
    case ("minimum", _, _), ("exclusiveMinimum", _, _), ("minLength", _, _), ("minItems", _, _):
      if let isLess = a.isLess(than: b) { return isLess ? b : a }
    case ("maximum", _, _), ("exclusiveMaximum", _, _), ("maxLength", _, _), ("maxItems", _, _):
      if let isLess = a.isLess(than: b) { return isLess ? a : b }
    case ("additionalProperties", .bool(false), _): return a
    case ("additionalProperties", _, .bool(false)): return b
    case ("type", .string("number"), .string("integer")): return b
    case ("type", .string("integer"), .string("number")): return a
    default: break
    }
    throw JSONSchemaReader.failure(
      path,
      "\"\(name)\" is asked for twice, as \(a.text.prefix(40)) and as \(b.text.prefix(40)), which is not supported")
  }
}

extension OrderedJSON {
  var number: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .double(let value): value
    default: nil
    }
  }

  /// nil unless both are numbers. Integers are compared as such: not all of them have a double of their own.
  fileprivate func isLess(than other: OrderedJSON) -> Bool? {
    if case .integer(let a) = self, case .integer(let b) = other { return a < b }
    guard let a = number, let b = other.number else { return nil }
    return a < b
  }

  /// A whole number near a number, of at most 2^62: farther out than any that is written. nil for what is no number.
  func rounded(_ rule: FloatingPointRoundingRule) -> Int? {
    let bound = 1 << 62
    if case .integer(let value) = self { return min(max(value, -bound), bound) }
    return number.map { Int(min(max($0.rounded(rule), -Double(bound)), Double(bound))) }
  }
}
