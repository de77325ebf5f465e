/// A regular expression over module names, as the `ignore` and `targets` lists of quantized checkpoints hold them
/// ("re:.*self_attn\\.q_proj$"), matched from the start of the name as Python's `re.match` does.
///
/// The subset of Python's syntax that such lists use: literals, `.`, classes, `\d \w \s` and their negations, `\b`,
/// `^ $`, groups, alternation, greedy and lazy repetition, lookahead. Anything else is refused by name. Matching
/// backtracks, so it draws on a budget of steps: a hostile pattern ends in an error, not in a hang.
package struct NamePattern: Sendable {
  /// "config.json: quantization_config: pattern "...": how messages begin.
  private let title: String
  private let root: Node

  /// - Parameter file: where the pattern stands, for messages.
  /// - Throws: `unsupported` for syntax outside the subset.
  package init(_ source: String, file: String) throws(LacunaError) {
    title = "\(file): quantization_config: pattern \"\(source.clipped)\""
    var parser = NamePatternParser(source, title: title)
    root = try parser.parse()
  }

  /// What is left to spend on matching, over any number of patterns and names.
  package struct Budget {
    package var steps: Int
    package init(steps: Int) { self.steps = steps }
  }

  /// - Throws: `unsupported` when the budget is spent or the pattern nests too deep on this name.
  package func matches(_ name: String, budget: inout Budget) throws(LacunaError) -> Bool {
    var matcher = Matcher(text: Array(name.utf8), title: title, steps: budget.steps)
    defer { budget.steps = matcher.steps }
    return try matcher.match(root, at: 0) { (_, _) throws(LacunaError) in true }
  }

  indirect enum Node: Sendable {
    case bytes(ByteSet)
    case sequence([Node])
    case choice([Node])
    case loop(Node, least: Int, most: Int, isLazy: Bool)
    case start
    case end
    case wordBoundary(isNegated: Bool)
    case lookahead(Node, isNegated: Bool)
  }
}

private struct Matcher {
  let text: [UInt8]
  let title: String
  var steps: Int
  private var depth = 0

  init(text: [UInt8], title: String, steps: Int) {
    self.text = text
    self.title = title
    self.steps = steps
  }

  typealias Rest = (inout Matcher, Int) throws(LacunaError) -> Bool

  /// Whether `node` matches at `position` and `rest` matches where it ends.
  mutating func match(_ node: NamePattern.Node, at position: Int, then rest: Rest) throws(LacunaError) -> Bool {
    steps -= 1
    depth += 1
    defer { depth -= 1 }
    // A level of recursion costs up to a kilobyte of stack, and names are short.
    guard steps > 0, depth < 1_000 else {
      throw LacunaError(.unsupported, "\(title): takes too many steps")
    }
    switch node {
    case .bytes(let set):
      guard position < text.count, set.contains(text[position]) else { return false }
      return try rest(&self, position + 1)
    case .sequence(let nodes): return try match(nodes[...], at: position, then: rest)
    case .choice(let nodes):
      for node in nodes where try match(node, at: position, then: rest) { return true }
      return false
    case .loop(let body, let least, let most, let isLazy):
      return try loop(body, least, most, isLazy, at: position, then: rest)
    case .start: return position == 0 ? try rest(&self, position) : false
    case .end: return position == text.count ? try rest(&self, position) : false
    case .wordBoundary(let isNegated):
      return (isWord(position - 1) != isWord(position)) != isNegated ? try rest(&self, position) : false
    case .lookahead(let body, let isNegated):
      let found = try match(body, at: position) { (_, _) throws(LacunaError) in true }
      return found != isNegated ? try rest(&self, position) : false
    }
  }

  private mutating func match(
    _ nodes: ArraySlice<NamePattern.Node>, at position: Int, then rest: Rest
  ) throws(LacunaError) -> Bool {
    guard let first = nodes.first else { return try rest(&self, position) }
    return try match(first, at: position) { (matcher, next) throws(LacunaError) in
      try matcher.match(nodes.dropFirst(), at: next, then: rest)
    }
  }

  private mutating func loop(
    _ body: NamePattern.Node, _ least: Int, _ most: Int, _ isLazy: Bool, at position: Int, then rest: Rest
  ) throws(LacunaError) -> Bool {
    if isLazy, least == 0, try rest(&self, position) { return true }
    if most > 0 {
      let again = try match(body, at: position) { (matcher, next) throws(LacunaError) in
        // A body that matched nothing would match nothing for ever.
        guard next > position || least > 0 else { return false }
        return try matcher.loop(body, max(least - 1, 0), most - 1, isLazy, at: next, then: rest)
      }
      if again { return true }
    }
    return !isLazy && least == 0 ? try rest(&self, position) : false
  }

  private func isWord(_ position: Int) -> Bool {
    text.indices.contains(position) && NamePatternParser.word.contains(text[position])
  }
}
