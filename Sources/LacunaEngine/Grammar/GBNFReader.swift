/// Reads GBNF, the grammar notation of llama.cpp (its grammars/README): rules over characters, "root" first.
struct GBNFReader {
  private var scanner: ScalarScanner
  private var rules = GrammarRules()
  private var indices: [String: Int] = [:]
  private var defined: Set<Int> = []
  private var depth = 0

  static let depthLimit = 100

  /// - Throws: `invalidArgument` with line and column.
  static func read(_ text: String) throws(LacunaError) -> GrammarRules {
    var reader = GBNFReader(scanner: ScalarScanner(text, source: "gbnf"))
    // The program begins with the first rule.
    _ = reader.index(of: "root")
    try reader.readRules()
    return reader.rules
  }

  private init(scanner: ScalarScanner) { self.scanner = scanner }

  private mutating func readRules() throws(LacunaError) {
    skipSpace(withLines: true)
    while !scanner.isAtEnd {
      let name = readName()
      guard !name.isEmpty else { throw scanner.failure("expected a rule's name, found \(scanner.found)") }
      skipSpace(withLines: false)
      guard scanner.take("::=") else { throw scanner.failure("expected '::=', found \(scanner.found)") }
      let rule = index(of: name)
      guard defined.insert(rule).inserted else {
        throw scanner.failure("expected distinct rules, found '\(name)' twice")
      }
      rules.nodes[rule] = try readChoice(isNested: false)
      guard scanner.isAtEnd || scanner.next == "\n" || scanner.next == "\r" else {
        throw scanner.failure("expected the end of the rule, found \(scanner.found)")
      }
      skipSpace(withLines: true)
    }
    for (name, index) in indices.sorted(by: { $0.value < $1.value }) where !defined.contains(index) {
      throw LacunaError(.invalidArgument, "gbnf: expected a rule named '\(name)', found none")
    }
  }

  private mutating func index(of name: String) -> Int {
    if let known = indices[name] { return known }
    let index = rules.add(name)
    indices[name] = index
    return index
  }

  private mutating func readName() -> String {
    scanner.word { $0.isASCII && ($0.properties.isAlphabetic || ("0"..."9").contains($0) || $0 == "-" || $0 == "_") }
  }

  private mutating func skipSpace(withLines: Bool) {
    while let scalar = scanner.next {
      if scalar == "#" {
        scanner.skip { $0 != "\n" && $0 != "\r" }
      } else if scalar == " " || scalar == "\t" || withLines && (scalar == "\n" || scalar == "\r") {
        _ = scanner.advance()
      } else {
        return
      }
    }
  }

  /// Whether the next line goes on with another choice.
  private mutating func continuesWithChoice() -> Bool {
    var ahead = self
    ahead.skipSpace(withLines: true)
    guard ahead.scanner.next == "|" else { return false }
    self = ahead
    return true
  }

  private mutating func readChoice(isNested: Bool) throws(LacunaError) -> GrammarNode {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.depthLimit else {
      throw scanner.failure("expected at most \(Self.depthLimit) nested groups, found more")
    }
    var options: [GrammarNode] = []
    repeat {
      skipSpace(withLines: true)
      options.append(try readSequence(isNested: isNested))
      if scanner.next != "|", !continuesWithChoice() { break }
    } while scanner.take("|")
    return options.count == 1 ? options[0] : .choice(options)
  }

  private mutating func readSequence(isNested: Bool) throws(LacunaError) -> GrammarNode {
    var nodes: [GrammarNode] = []
    while let scalar = scanner.next {
      let node: GrammarNode
      switch scalar {
      case "\"": node = try readLiteral()
      case "[":
        _ = scanner.advance()
        node = try readClass().node
      case ".":
        _ = scanner.advance()
        node = ScalarSet.all.node
      case "(":
        _ = scanner.advance()
        node = try readChoice(isNested: true)
        skipSpace(withLines: true)
        guard scanner.take(")") else { throw scanner.failure("expected ')', found \(scanner.found)") }
      default:
        let name = readName()
        guard !name.isEmpty else { return .sequence(nodes) }
        node = .rule(index(of: name))
      }
      nodes.append(try readRepetition(of: node))
      skipSpace(withLines: isNested)
    }
    return .sequence(nodes)
  }

  private mutating func readRepetition(of node: GrammarNode) throws(LacunaError) -> GrammarNode {
    var node = node
    for _ in 0...Self.depthLimit {
      if scanner.take("*") {
        node = .any(node)
      } else if scanner.take("+") {
        node = .repetition(node, minimum: 1, maximum: nil)
      } else if scanner.take("?") {
        node = .optional(node)
      } else if scanner.take("{") {
        let (minimum, maximum) = try scanner.bounds()
        node = .repetition(node, minimum: minimum, maximum: maximum)
      } else {
        return node
      }
    }
    throw scanner.failure("expected at most \(Self.depthLimit) repetitions of one thing, found more")
  }

  private mutating func readLiteral() throws(LacunaError) -> GrammarNode {
    _ = scanner.advance()
    var text = String.UnicodeScalarView()
    while scanner.next != "\"" { text.append(try readCharacter()) }
    _ = scanner.advance()
    return .text(String(text))
  }

  private mutating func readClass() throws(LacunaError) -> ScalarSet {
    let isInverted = scanner.take("^")
    var ranges: [ClosedRange<UInt32>] = []
    while scanner.next != "]" {
      let low = try readCharacter()
      if scanner.next == "-", scanner.peek(1) != "]" {
        _ = scanner.advance()
        let high = try readCharacter()
        guard low <= high else { throw scanner.failure("expected a range from low to high, found \(low)-\(high)") }
        ranges.append(low.value...high.value)
      } else {
        ranges.append(low.value...low.value)
      }
    }
    _ = scanner.advance()
    let set = ScalarSet(ranges)
    return isInverted ? set.inverted : set
  }

  private mutating func readCharacter() throws(LacunaError) -> UnicodeScalar {
    guard let scalar = scanner.advance() else { throw scanner.failure("expected a character, found the end") }
    guard scalar == "\\" else { return scalar }
    switch scanner.advance() {
    case "n": return "\n"
    case "r": return "\r"
    case "t": return "\t"
    case "x": return try scanner.hexadecimal(2)
    case "u": return try scanner.hexadecimal(4)
    case "U": return try scanner.hexadecimal(8)
    case let other? where "\\\"[]-^./".unicodeScalars.contains(other): return other
    case let other: throw scanner.failure("expected an escape, found \(other.map { "'\\\($0)'" } ?? "the end")")
    }
  }
}

extension Grammar {
  /// - Throws: `invalidArgument` with line and column.
  public convenience init(gbnf text: String) throws(LacunaError) { try self.init(try GBNFReader.read(text)) }
}
