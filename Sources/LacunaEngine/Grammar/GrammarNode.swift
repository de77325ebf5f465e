/// A grammar over bytes as its readers build it.
indirect enum GrammarNode: Sendable {
  case empty
  case bytes(ByteSet)
  case literal([UInt8])
  case sequence([GrammarNode])
  case choice([GrammarNode])
  /// maximum nil: without end.
  case repetition(GrammarNode, minimum: Int, maximum: Int?)
  /// An index into the grammar's rules.
  case rule(Int)

  static func text(_ text: String) -> GrammarNode { .literal(Array(text.utf8)) }
  static func optional(_ node: GrammarNode) -> GrammarNode { .repetition(node, minimum: 0, maximum: 1) }
  static func any(_ node: GrammarNode) -> GrammarNode { .repetition(node, minimum: 0, maximum: nil) }
}

/// Named rules, the first of which is the whole text.
struct GrammarRules: Sendable {
  var names: [String] = []
  var nodes: [GrammarNode] = []

  mutating func add(_ name: String, _ node: GrammarNode = .empty) -> Int {
    names.append(name)
    nodes.append(node)
    return nodes.count - 1
  }
}
