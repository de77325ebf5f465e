/// Arrays and objects.
extension JSONSchemaReader {
  mutating func array(_ schema: OrderedJSON, at path: String) throws(LacunaError) -> GrammarNode {
    let minimum = try count(schema, "minItems", at: path) ?? 0
    let maximum = try count(schema, "maxItems", at: path)
    if let maximum, maximum < minimum {
      throw Self.failure(path, "no list has at least \(minimum) and at most \(maximum) elements")
    }
    var first: [GrammarNode] = []
    if let prefix = schema["prefixItems"] {
      for (index, item) in try list(prefix, at: path + "/prefixItems").enumerated() {
        first.append(try node(item, at: "\(path)/prefixItems/\(index)"))
      }
    }
    var further: GrammarNode?
    switch schema["items"] {
    case .bool(false)?: break
    case let items?: further = try node(items, at: path + "/items")
    case nil: further = first.isEmpty ? anyValue : nil
    }
    if first.isEmpty {
      guard let further else {
        guard minimum == 0 else { throw Self.failure(path, "expected items, as minItems is \(minimum), found none") }
        return list(of: .empty, open: "[", close: "]", minimum: 0, maximum: 0)
      }
      return list(of: further, open: "[", close: "]", minimum: minimum, maximum: maximum)
    }
    guard minimum <= first.count || further != nil else {
      throw Self.failure(path, "minItems is \(minimum), and there are \(first.count) prefixItems and no items")
    }
    // The whole prefix is written, whatever minItems allows.
    if let maximum, maximum < first.count { first.removeLast(first.count - maximum) }
    if first.isEmpty { return list(of: .empty, open: "[", close: "]", minimum: 0, maximum: 0) }
    var nodes: [GrammarNode] = [.text("["), space, first[0]]
    for item in first.dropFirst() { nodes += [.text(","), space, item] }
    if let further {
      nodes.append(
        .repetition(
          .sequence([.text(","), space, further]), minimum: max(minimum - first.count, 0),
          maximum: maximum.map { $0 - first.count }))
    }
    return .sequence(nodes + [space, .text("]")])
  }

  mutating func object(_ schema: OrderedJSON, at path: String) throws(LacunaError) -> GrammarNode {
    var members: [(name: String, value: OrderedJSON)] = []
    switch schema["properties"] {
    case .object(let properties)?: members = properties
    case nil: break
    case let other?: throw Self.failure(path + "/properties", "expected an object, found \(other.text.prefix(40))")
    }
    var required: [String] = []
    if let names = schema["required"] {
      guard case .array(let names) = names else {
        throw Self.failure(path + "/required", "expected a list of names, found \(names.text.prefix(40))")
      }
      for name in names {
        guard case .string(let name) = name else {
          throw Self.failure(path + "/required", "expected names, found \(name.text.prefix(40))")
        }
        if !required.contains(name) { required.append(name) }
      }
    }
    for name in required where !members.contains(where: { $0.name == name }) {
      members.append((name, .bool(true)))
    }
    let extra = try additional(schema, besides: members.map(\.name), at: path)
    var properties: [Property] = []
    for (name, value) in members {
      let isRequired = required.contains(name)
      // What nothing satisfies is left out where it may be.
      if case .bool(false) = value, !isRequired { continue }
      let place = "\(path)/properties/\(name)"
      properties.append(
        Property(
          node: member(.text(OrderedJSON.string(name).text), try node(value, at: place)), isRequired: isRequired))
    }
    return braces(properties, extra)
  }

  private struct Property {
    let node: GrammarNode
    let isRequired: Bool
  }

  /// Properties in order, optional ones possibly left out, then others. Each place knows whether something has been
  /// written before, for the comma.
  private mutating func braces(_ properties: [Property], _ extra: GrammarNode?) -> GrammarNode {
    let comma = GrammarNode.sequence([.text(","), space])
    // What may follow once something has been written, and before.
    var after: GrammarNode = extra.map { .any(.sequence([comma, $0])) } ?? .empty
    var before: GrammarNode = extra.map { .optional(.sequence([$0, after])) } ?? .empty
    for property in properties.reversed() {
      // Rules, so that the two do not double at every property.
      let rest = GrammarNode.rule(rules.add("object", after))
      let written = GrammarNode.sequence([property.node, rest])
      if property.isRequired {
        before = written
        after = .sequence([comma, written])
      } else {
        before = .choice([written, .rule(rules.add("object", before))])
        after = .choice([.sequence([comma, written]), rest])
      }
    }
    return .sequence([.text("{"), space, before, space, .text("}")])
  }

  /// A member that the schema does not name; nil where there may be none.
  private mutating func additional(
    _ schema: OrderedJSON, besides names: [String], at path: String
  ) throws(LacunaError) -> GrammarNode? {
    let value: GrammarNode
    switch schema["additionalProperties"] {
    case .bool(false)?: return nil
    case nil:
      if !names.isEmpty { return nil }
      value = anyValue
    case let other?: value = try node(other, at: path + "/additionalProperties")
    }
    guard !names.isEmpty else { return member(anyString, value) }
    return member(
      .sequence([.text("\""), nameOther(than: names.map { Array($0.unicodeScalars) }), .text("\"")]), value)
  }

  /// Names without escapes that are none of `names`: those that leave their prefix tree, or end inside it.
  private func nameOther(than names: [[UnicodeScalar]]) -> GrammarNode {
    let plain = ScalarSet([0x20...0x21, 0x23...0x5B, 0x5D...0x10FFFF])
    let anything = GrammarNode.any(plain.node)
    func other(_ names: [[UnicodeScalar]]) -> GrammarNode {
      var branches: [UnicodeScalar: [[UnicodeScalar]]] = [:]
      for name in names { if let first = name.first { branches[first, default: []].append(Array(name.dropFirst())) } }
      let away = plain.subtracting(ScalarSet(branches.keys))
      var options: [GrammarNode] = [.sequence([away.node, anything])]
      for (first, rest) in branches.sorted(by: { $0.key < $1.key }) where plain.contains(first) {
        options.append(.sequence([.text(String(first)), other(rest)]))
      }
      if !names.contains(where: \.isEmpty) { options.append(.empty) }
      return .choice(options)
    }
    return other(names)
  }
}
