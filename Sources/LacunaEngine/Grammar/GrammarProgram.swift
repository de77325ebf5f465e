/// A grammar as instructions for a machine with a stack: what the automaton runs.
struct GrammarProgram: Sendable {
  enum Instruction: Sendable {
    /// Consumes one byte of the set and goes on behind it.
    case bytes(ByteSet)
    case jump(Int)
    case split([Int])
    /// Pushes the place behind it and goes to a rule.
    case call(Int)
    /// Pops a place and goes there.
    case `return`
    /// Pushes a counter at zero and goes on behind it, where the loop's head is.
    case count
    /// On top is the loop's counter: leave, or do the body behind it. maximum nil: without end.
    case head(minimum: Int, maximum: Int?, exit: Int, bodyMayBeEmpty: Bool)
    /// Adds one to the counter on top and goes to the head.
    case again(head: Int)
    /// The whole text has been read.
    case accept
  }

  private(set) var instructions: [Instruction] = []
  let start: Int

  /// Instructions that one grammar may have.
  static let limit = 200_000

  /// - Throws: `invalidArgument` for left recursion, an undefined rule or a grammar beyond the limit.
  init(_ rules: GrammarRules) throws(LacunaError) {
    let nullable = Self.nullableRules(rules)
    try Self.refuseLeftRecursion(rules, nullable)
    start = 0
    instructions = [.call(-1), .accept]
    var addresses: [Int] = []
    for node in rules.nodes {
      addresses.append(instructions.count)
      try emit(node, nullable)
      instructions.append(.return)
    }
    instructions[0] = .call(0)
    for index in instructions.indices {
      guard case .call(let rule) = instructions[index] else { continue }
      // A call with nothing behind it but a return needs no place to come back to: lists that recurse at their end
      // stay flat.
      instructions[index] = isReturn(index + 1) ? .jump(addresses[rule]) : .call(addresses[rule])
    }
  }

  private func isReturn(_ index: Int) -> Bool {
    var index = index
    while case .jump(let target) = instructions[index], target > index { index = target }
    if case .return = instructions[index] { return true }
    return false
  }

  private mutating func emit(_ node: GrammarNode, _ nullable: [Bool]) throws(LacunaError) {
    guard instructions.count < Self.limit else {
      throw LacunaError(.invalidArgument, "grammar: expected at most \(Self.limit) instructions, found more")
    }
    switch node {
    case .empty: break
    case .bytes(let set): instructions.append(.bytes(set))
    case .literal(let bytes): for byte in bytes { instructions.append(.bytes(ByteSet(byte...byte))) }
    case .sequence(let nodes): for node in nodes { try emit(node, nullable) }
    case .rule(let rule): instructions.append(.call(rule))
    case .choice(let nodes):
      let split = append(.split([]))
      var starts: [Int] = []
      var ends: [Int] = []
      for node in nodes {
        starts.append(instructions.count)
        try emit(node, nullable)
        ends.append(append(.jump(0)))
      }
      instructions[split] = .split(starts)
      for end in ends { instructions[end] = .jump(instructions.count) }
    case .repetition(let body, 0, 1):
      let split = append(.split([]))
      try emit(body, nullable)
      instructions[split] = .split([split + 1, instructions.count])
    case .repetition(let body, let minimum, nil) where minimum <= 1:
      if minimum == 1 { try emit(body, nullable) }
      let split = append(.split([]))
      try emit(body, nullable)
      instructions.append(.jump(split))
      instructions[split] = .split([split + 1, instructions.count])
    case .repetition(let body, let minimum, let maximum):
      if maximum == 0 { return }
      instructions.append(.count)
      let head = append(.accept)
      try emit(body, nullable)
      instructions.append(.again(head: head))
      instructions[head] = .head(
        minimum: minimum, maximum: maximum, exit: instructions.count,
        bodyMayBeEmpty: Self.isNullable(body, nullable))
    }
  }

  private mutating func append(_ instruction: Instruction) -> Int {
    instructions.append(instruction)
    return instructions.count - 1
  }

  // MARK: What may be empty, and what begins with itself

  private static func isNullable(_ node: GrammarNode, _ rules: [Bool]) -> Bool {
    switch node {
    case .empty: true
    case .bytes: false
    case .literal(let bytes): bytes.isEmpty
    case .sequence(let nodes): nodes.allSatisfy { isNullable($0, rules) }
    case .choice(let nodes): nodes.contains { isNullable($0, rules) }
    case .repetition(let body, let minimum, _): minimum == 0 || isNullable(body, rules)
    case .rule(let rule): rules[rule]
    }
  }

  private static func nullableRules(_ rules: GrammarRules) -> [Bool] {
    var nullable = [Bool](repeating: false, count: rules.nodes.count)
    var users = [[Int]](repeating: [], count: rules.nodes.count)
    for (index, node) in rules.nodes.enumerated() { forEachRule(in: node) { users[$0].append(index) } }
    // Only a rule that uses one found to be nullable can become so in turn.
    var waiting = Array(rules.nodes.indices.reversed())
    while let index = waiting.popLast() {
      guard !nullable[index], isNullable(rules.nodes[index], nullable) else { continue }
      nullable[index] = true
      waiting += users[index]
    }
    return nullable
  }

  private static func forEachRule(in node: GrammarNode, _ body: (Int) -> Void) {
    switch node {
    case .empty, .bytes, .literal: break
    case .sequence(let nodes), .choice(let nodes): for node in nodes { forEachRule(in: node, body) }
    case .repetition(let node, _, _): forEachRule(in: node, body)
    case .rule(let rule): body(rule)
    }
  }

  /// Rules that may be entered before a byte is consumed.
  private static func leftmost(_ node: GrammarNode, _ nullable: [Bool]) -> Set<Int> {
    switch node {
    case .empty, .bytes, .literal: return []
    case .rule(let rule): return [rule]
    case .choice(let nodes): return nodes.reduce(into: []) { $0.formUnion(leftmost($1, nullable)) }
    case .repetition(let body, _, _): return leftmost(body, nullable)
    case .sequence(let nodes):
      var result: Set<Int> = []
      for node in nodes {
        result.formUnion(leftmost(node, nullable))
        if !isNullable(node, nullable) { break }
      }
      return result
    }
  }

  private static func refuseLeftRecursion(_ rules: GrammarRules, _ nullable: [Bool]) throws(LacunaError) {
    let edges = rules.nodes.map { leftmost($0, nullable) }
    // 0 new, 1 on the path, 2 done
    var marks = [UInt8](repeating: 0, count: edges.count)
    for root in edges.indices where marks[root] == 0 {
      var path: [(rule: Int, rest: [Int])] = [(root, Array(edges[root]))]
      marks[root] = 1
      while let (rule, rest) = path.last {
        guard let next = rest.last else {
          marks[rule] = 2
          path.removeLast()
          continue
        }
        path[path.count - 1].rest.removeLast()
        if marks[next] == 1 {
          throw LacunaError(
            .invalidArgument,
            "grammar: rule '\(rules.names[next])' begins with itself, which cannot be matched from left to right; "
              + "write the repetition with *, or put the recursion behind something")
        }
        if marks[next] == 0 {
          marks[next] = 1
          path.append((next, Array(edges[next])))
        }
      }
    }
  }
}
