/// Turns a JSON Schema (draft 2020-12) into a grammar of JSON texts that satisfy it.
///
/// Every text of the grammar satisfies the schema; not every JSON text that does is in the grammar:
/// - properties come in the schema's order, and others only where `additionalProperties` says so;
/// - a schema without `type` takes the type that its other keywords are about;
/// - strings are matched as written: `pattern` sees the shortest escapes;
/// - `oneOf` is read as `anyOf`.
/// Keywords that would constrain and are not known are refused by name.
package struct JSONSchemaReader {
  package enum Whitespace: String, CaseIterable, Sendable {
    /// None at all.
    case compact
    /// A space, or line breaks with indentation, where JSON allows them.
    case flexible
  }

  let root: OrderedJSON
  let whitespace: Whitespace
  var rules = GrammarRules()
  private var references: [String: Int] = [:]
  private var shared: [String: Int] = [:]
  private var depth = 0
  private var schemaCount = 0

  private static let depthLimit = 64
  /// Schemas that one may be read as: what keywords beside `$ref` are joined with is read again at every place.
  private static let schemaLimit = 20_000

  static func read(_ schema: OrderedJSON, whitespace: Whitespace) throws(LacunaError) -> GrammarRules {
    var reader = JSONSchemaReader(root: schema, whitespace: whitespace)
    let start = reader.rules.add("root")
    let body = try reader.node(schema, at: "#")
    reader.rules.nodes[start] = .sequence([reader.space, body])
    return reader.rules
  }

  private init(root: OrderedJSON, whitespace: Whitespace) {
    self.root = root
    self.whitespace = whitespace
  }

  static func failure(_ path: String, _ text: String) -> LacunaError {
    LacunaError(.invalidArgument, "schema, \(path): \(text)")
  }

  /// What may stand between two tokens of JSON.
  var space: GrammarNode {
    guard whitespace == .flexible else { return .empty }
    let indent = GrammarNode.repetition(ScalarSet(" \t".unicodeScalars).node, minimum: 0, maximum: 32)
    return .choice([.empty, .text(" "), .sequence([.text("\n"), indent])])
  }

  // MARK: One schema

  mutating func node(_ schema: OrderedJSON, at path: String) throws(LacunaError) -> GrammarNode {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.depthLimit else {
      throw Self.failure(path, "expected at most \(Self.depthLimit) levels, found more")
    }
    schemaCount += 1
    guard schemaCount <= Self.schemaLimit else {
      throw Self.failure(path, "expected at most \(Self.schemaLimit) schemas, references written out, found more")
    }
    switch schema {
    case .bool(true): return anyValue
    case .bool(false): throw Self.failure(path, "nothing satisfies the schema false")
    case .object(let members):
      try refuseUnknown(members.map(\.name), at: path)
      return try node(members: schema, at: path)
    default: throw Self.failure(path, "expected a schema (an object, true or false), found \(schema.text.prefix(40))")
    }
  }

  private mutating func node(members schema: OrderedJSON, at path: String) throws(LacunaError) -> GrammarNode {
    if let reference = schema["$ref"] { return try rule(reference, of: schema, at: path) }
    if let value = schema["const"] { return .text(value.text) }
    if let values = schema["enum"] {
      guard case .array(let values) = values, !values.isEmpty else {
        throw Self.failure(path + "/enum", "expected a list of values, found \(values.text.prefix(40))")
      }
      return .choice(values.map { .text($0.text) })
    }
    for keyword in ["anyOf", "oneOf"] {
      guard let branches = schema[keyword] else { continue }
      return .choice(
        try list(branches, at: "\(path)/\(keyword)").enumerated().map { (index, branch) throws(LacunaError) in
          try node(
            try SchemaMerge.merged(schema.without(keyword), branch, at: "\(path)/\(keyword)/\(index)"),
            at: "\(path)/\(keyword)/\(index)")
        })
    }
    if let parts = schema["allOf"] {
      var whole = schema.without("allOf")
      for (index, part) in try list(parts, at: path + "/allOf").enumerated() {
        let place = "\(path)/allOf/\(index)"
        whole = try SchemaMerge.merged(whole, try resolved(part, at: place), at: place)
      }
      return try node(whole, at: path)
    }
    let types = try types(of: schema, at: path)
    if types.isEmpty { return anyValue }
    let nodes = try types.map { (type) throws(LacunaError) in try node(schema, type, at: path) }
    return nodes.count == 1 ? nodes[0] : .choice(nodes)
  }

  private mutating func node(_ schema: OrderedJSON, _ type: String, at path: String) throws(LacunaError) -> GrammarNode
  {
    switch type {
    case "null": return .text("null")
    case "boolean": return .choice([.text("true"), .text("false")])
    case "integer", "number": return try number(schema, isInteger: type == "integer", at: path)
    case "string": return try string(schema, at: path)
    case "array": return try array(schema, at: path)
    case "object": return try object(schema, at: path)
    default:
      throw Self.failure(
        path + "/type", "expected null, boolean, integer, number, string, array or object, found \"\(type)\"")
    }
  }

  private func types(of schema: OrderedJSON, at path: String) throws(LacunaError) -> [String] {
    switch schema["type"] {
    case .string(let type): return [type]
    case .array(let types):
      return try types.map { (type) throws(LacunaError) in
        guard case .string(let name) = type else {
          throw Self.failure(path + "/type", "expected names of types, found \(type.text.prefix(40))")
        }
        return name
      }
    case nil: break
    case let other?: throw Self.failure(path + "/type", "expected a type's name, found \(other.text.prefix(40))")
    }
    for (type, keywords) in Self.keywords where keywords.contains(where: { schema[$0] != nil }) { return [type] }
    return []
  }

  func list(_ value: OrderedJSON, at path: String) throws(LacunaError) -> [OrderedJSON] {
    guard case .array(let elements) = value, !elements.isEmpty else {
      throw Self.failure(path, "expected a list of schemas, found \(value.text.prefix(40))")
    }
    return elements
  }

  // MARK: References

  private mutating func rule(
    _ reference: OrderedJSON, of schema: OrderedJSON, at path: String
  ) throws(LacunaError) -> GrammarNode {
    guard case .string(let pointer) = reference else {
      throw Self.failure(path + "/$ref", "expected a string, found \(reference.text.prefix(40))")
    }
    if case .object(let members) = schema, members.contains(where: { Self.constrains($0.name) && $0.name != "$ref" }) {
      // Keywords beside $ref count as well, as in allOf.
      let target = try resolved(schema, at: path)
      return try node(try SchemaMerge.merged(schema.without("$ref"), target, at: path), at: path)
    }
    if let known = references[pointer] { return .rule(known) }
    let index = rules.add(pointer)
    references[pointer] = index
    rules.nodes[index] = try node(try target(of: pointer, at: path), at: pointer)
    return .rule(index)
  }

  /// What a schema that is only a reference refers to; the schema itself otherwise.
  private func resolved(_ schema: OrderedJSON, at path: String) throws(LacunaError) -> OrderedJSON {
    guard case .string(let pointer)? = schema["$ref"] else { return schema }
    return try target(of: pointer, at: path)
  }

  private func target(of pointer: String, at path: String) throws(LacunaError) -> OrderedJSON {
    guard pointer == "#" || pointer.hasPrefix("#/") else {
      throw Self.failure(path + "/$ref", "expected a place in this document (\"#/...\"), found \"\(pointer)\"")
    }
    var value = root
    for part in pointer.split(separator: "/").dropFirst() {
      let name = Self.unescaped(part)
      let next: OrderedJSON?
      if case .array(let elements) = value, let index = Int(name), elements.indices.contains(index) {
        next = elements[index]
      } else {
        next = value[name]
      }
      guard let next else { throw Self.failure(path + "/$ref", "nothing is at \"\(pointer)\"") }
      value = next
    }
    return value
  }

  /// RFC 6901, section 4.
  private static func unescaped(_ part: Substring) -> String {
    var text = ""
    var rest = part[...]
    while let character = rest.popFirst() {
      if character == "~", let code = rest.popFirst() {
        text += code == "1" ? "/" : "~"
      } else {
        text.append(character)
      }
    }
    return text
  }

  // MARK: Any value

  /// A rule that is made once, when it is first asked for.
  mutating func sharedRule(_ name: String, _ make: (inout JSONSchemaReader) -> GrammarNode) -> GrammarNode {
    if let known = shared[name] { return .rule(known) }
    let index = rules.add(name)
    shared[name] = index
    rules.nodes[index] = make(&self)
    return .rule(index)
  }

  var anyValue: GrammarNode {
    mutating get {
      sharedRule("value") { reader in
        .choice([
          .text("null"), .text("true"), .text("false"), JSONNumberText.number, reader.anyString,
          reader.list(of: reader.anyValue, open: "[", close: "]", minimum: 0, maximum: nil),
          reader.list(
            of: reader.member(reader.anyString, reader.anyValue), open: "{", close: "}", minimum: 0, maximum: nil),
        ])
      }
    }
  }

  var anyString: GrammarNode {
    mutating get {
      sharedRule("string") { _ in .sequence([.text("\""), .any(JSONStringText.anyCharacter), .text("\"")]) }
    }
  }

  func member(_ name: GrammarNode, _ value: GrammarNode) -> GrammarNode {
    .sequence([name, .text(":"), space, value])
  }

  /// Elements between brackets with commas between them.
  func list(of element: GrammarNode, open: String, close: String, minimum: Int, maximum: Int?) -> GrammarNode {
    let further = GrammarNode.repetition(
      .sequence([.text(","), space, element]), minimum: max(minimum - 1, 0), maximum: maximum.map { max($0 - 1, 0) })
    let filled = GrammarNode.sequence([space, element, further, space])
    if maximum == 0 { return .sequence([.text(open), space, .text(close)]) }
    return .sequence([.text(open), minimum == 0 ? .choice([space, filled]) : filled, .text(close)])
  }
}

extension OrderedJSON {
  func without(_ name: String) -> OrderedJSON {
    guard case .object(let members) = self else { return self }
    return .object(members.filter { $0.name != name })
  }
}

extension Grammar {
  /// JSON texts that satisfy a schema, as far as `JSONSchemaReader` says.
  /// - Parameters:
  ///   - schema: JSON text; the order of `properties` is kept.
  ///   - isCompact: no white space at all.
  /// - Throws: `invalidArgument` or `malformed`, naming the place in the schema.
  public convenience init(jsonSchema schema: String, isCompact: Bool = false) throws(LacunaError) {
    try self.init(jsonSchema: try OrderedJSON.parse(schema, file: "schema"), isCompact: isCompact)
  }

  package convenience init(jsonSchema schema: OrderedJSON, isCompact: Bool) throws(LacunaError) {
    try self.init(try JSONSchemaReader.read(schema, whitespace: isCompact ? .compact : .flexible))
  }
}
