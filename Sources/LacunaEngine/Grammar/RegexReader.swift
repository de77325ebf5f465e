/// Reads regular expressions: what ECMAScript and POSIX share, over Unicode scalar values.
///
/// Groups do not capture, and lazy marks change nothing: only the set of texts counts. Look-around, back-references and
/// word boundaries have no such set and are refused by name.
struct RegexReader {
  private var scanner: ScalarScanner
  private let encode: (ScalarSet) -> GrammarNode
  private var depth = 0

  /// A whole expression.
  /// - Parameters:
  ///   - isAnchored: the whole text must match; otherwise some part of it, but for "^" and "$".
  ///   - encode: how characters are written: as themselves, or as within a JSON string.
  static func read(
    _ text: String, isAnchored: Bool, encode: @escaping (ScalarSet) -> GrammarNode = { $0.node }
  ) throws(LacunaError) -> GrammarNode {
    var reader = RegexReader(scanner: ScalarScanner(text, source: "regex"), encode: encode)
    let rest: GrammarNode = isAnchored ? .empty : .any(encode(.all))
    var options: [GrammarNode] = []
    repeat {
      let startsHere = reader.scanner.take("^")
      let body = try reader.readSequence()
      let endsHere = reader.scanner.take("$")
      options.append(.sequence([startsHere ? .empty : rest, body, endsHere ? .empty : rest]))
    } while reader.scanner.take("|")
    guard reader.scanner.isAtEnd else {
      throw reader.scanner.failure("expected the end, found \(reader.scanner.found)")
    }
    return options.count == 1 ? options[0] : .choice(options)
  }

  private init(scanner: ScalarScanner, encode: @escaping (ScalarSet) -> GrammarNode) {
    self.scanner = scanner
    self.encode = encode
  }

  private mutating func readChoice() throws(LacunaError) -> GrammarNode {
    depth += 1
    defer { depth -= 1 }
    guard depth <= GBNFReader.depthLimit else {
      throw scanner.failure("expected at most \(GBNFReader.depthLimit) nested groups, found more")
    }
    var options = [try readSequence()]
    while scanner.take("|") { options.append(try readSequence()) }
    return options.count == 1 ? options[0] : .choice(options)
  }

  private mutating func readSequence() throws(LacunaError) -> GrammarNode {
    var nodes: [GrammarNode] = []
    while let scalar = scanner.next, scalar != "|", scalar != ")" {
      if scalar == "$", scanner.peek(1) == nil || scanner.peek(1) == "|" { break }
      nodes.append(try readQuantified(try readAtom()))
    }
    return .sequence(nodes)
  }

  private mutating func readQuantified(_ atom: GrammarNode) throws(LacunaError) -> GrammarNode {
    let node: GrammarNode
    if scanner.take("*") {
      node = .any(atom)
    } else if scanner.take("+") {
      node = .repetition(atom, minimum: 1, maximum: nil)
    } else if scanner.take("?") {
      node = .optional(atom)
    } else if beginsBounds {
      _ = scanner.advance()
      let (minimum, maximum) = try scanner.bounds()
      node = .repetition(atom, minimum: minimum, maximum: maximum)
    } else {
      return atom
    }
    _ = scanner.take("?")
    if let next = scanner.next, "*+?".unicodeScalars.contains(next) || beginsBounds {
      throw scanner.failure("expected one quantifier, found another: '\(next)'")
    }
    return node
  }

  /// Whether "{2}" or the like comes next; any other brace stands for itself.
  private var beginsBounds: Bool {
    guard scanner.next == "{", let digit = scanner.peek(1) else { return false }
    return ("0"..."9").contains(digit)
  }

  private mutating func readAtom() throws(LacunaError) -> GrammarNode {
    if beginsBounds { throw scanner.failure("expected something to repeat before '{'") }
    guard let scalar = scanner.advance() else { throw scanner.failure("expected an expression, found the end") }
    switch scalar {
    case "(": return try readGroup()
    case "[": return encode(try readClass())
    case ".": return encode(ScalarSet("\n\r\u{2028}\u{2029}".unicodeScalars).inverted)
    case "\\": return encode(try readEscape())
    case "^", "$":
      throw scanner.failure("'\(scalar)' is understood at the ends of the whole expression only")
    case "*", "+", "?": throw scanner.failure("expected something to repeat before '\(scalar)'")
    default: return encode(ScalarSet(CollectionOfOne(scalar)))
    }
  }

  private mutating func readGroup() throws(LacunaError) -> GrammarNode {
    if scanner.take("?") {
      if scanner.take("<"), scanner.next != "=", scanner.next != "!" {
        scanner.skip { $0 != ">" }
        guard scanner.take(">") else { throw scanner.failure("expected '>' behind the group's name, found the end") }
      } else if !scanner.take(":") {
        throw scanner.failure(
          "look-around and flags are not supported, found '(?\(scanner.next.map(String.init) ?? "")'")
      }
    }
    let node = try readChoice()
    guard scanner.take(")") else { throw scanner.failure("expected ')', found \(scanner.found)") }
    return node
  }

  private mutating func readClass() throws(LacunaError) -> ScalarSet {
    let isInverted = scanner.take("^")
    var set = ScalarSet()
    var isFirst = true
    while isFirst || scanner.next != "]" {
      // A bracket that comes first is a member only where something follows.
      if isFirst, scanner.next == "]" { break }
      isFirst = false
      let low = try readMember()
      guard scanner.next == "-", let after = scanner.peek(1), after != "]" else {
        set = set.union(low)
        continue
      }
      _ = scanner.advance()
      let high = try readMember()
      guard let from = low.onlyScalar, let to = high.onlyScalar, from <= to else {
        throw scanner.failure("expected a range from one character to a higher one")
      }
      set = set.union(ScalarSet([from.value...to.value]))
    }
    _ = scanner.advance()
    return isInverted ? set.inverted : set
  }

  private mutating func readMember() throws(LacunaError) -> ScalarSet {
    guard let scalar = scanner.advance() else { throw scanner.failure("expected ']', found the end") }
    if scalar == "\\" { return scanner.take("b") ? ScalarSet(CollectionOfOne("\u{8}")) : try readEscape() }
    return ScalarSet(CollectionOfOne(scalar))
  }

  private mutating func readEscape() throws(LacunaError) -> ScalarSet {
    guard let scalar = scanner.advance() else { throw scanner.failure("expected an escape, found the end") }
    func one(_ scalar: UnicodeScalar) -> ScalarSet { ScalarSet(CollectionOfOne(scalar)) }
    switch scalar {
    case "d": return .digits
    case "D": return ScalarSet.digits.inverted
    case "w": return .wordCharacters
    case "W": return ScalarSet.wordCharacters.inverted
    case "s": return .spaces
    case "S": return ScalarSet.spaces.inverted
    case "n": return one("\n")
    case "r": return one("\r")
    case "t": return one("\t")
    case "f": return one("\u{C}")
    case "v": return one("\u{B}")
    case "0": return one("\0")
    case "x": return one(try scanner.hexadecimal(2))
    case "u":
      guard scanner.take("{") else { return one(try scanner.hexadecimal(4)) }
      var digits = 0
      while scanner.peek(digits).map({ $0 != "}" }) ?? false, digits < 9 { digits += 1 }
      let scalar = try scanner.hexadecimal(max(digits, 1))
      guard scanner.take("}") else { throw scanner.failure("expected '}', found \(scanner.found)") }
      return one(scalar)
    case "b", "B": throw scanner.failure("word boundaries are not supported, found '\\\(scalar)'")
    case "p", "P": throw scanner.failure("Unicode properties are not supported, found '\\\(scalar)'")
    case "1"..."9", "k": throw scanner.failure("back-references are not supported, found '\\\(scalar)'")
    case _ where scalar.properties.isAlphabetic: throw scanner.failure("expected an escape, found '\\\(scalar)'")
    default: return one(scalar)
    }
  }
}

extension ScalarSet {
  // As ECMAScript has them (ECMA-262, CharacterClassEscape), without flags.
  static let digits = ScalarSet([0x30...0x39])
  static let wordCharacters = ScalarSet([0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A])
  static let spaces = ScalarSet([
    0x09...0x0D, 0x20...0x20, 0xA0...0xA0, 0x1680...0x1680, 0x2000...0x200A, 0x2028...0x2029, 0x202F...0x202F,
    0x205F...0x205F, 0x3000...0x3000, 0xFEFF...0xFEFF,
  ])

  fileprivate var onlyScalar: UnicodeScalar? {
    guard ranges.count == 1, ranges[0].count == 1 else { return nil }
    return UnicodeScalar(ranges[0].lowerBound)
  }
}

extension Grammar {
  /// The texts that the whole expression matches.
  /// - Throws: `invalidArgument` with line and column.
  public convenience init(regex text: String) throws(LacunaError) {
    var rules = GrammarRules()
    _ = rules.add("root", try RegexReader.read(text, isAnchored: true))
    try self.init(rules)
  }
}
