/// From the text of a pattern to its tree; the syntax is listed at `NamePattern`.
struct NamePatternParser {
  typealias Node = NamePattern.Node

  static let word = ByteSet { ($0 | 0x20) >= 0x61 && ($0 | 0x20) <= 0x7A || $0 >= 0x30 && $0 <= 0x39 || $0 == 0x5F }
  private static let digit = ByteSet { $0 >= 0x30 && $0 <= 0x39 }
  private static let space = ByteSet { $0 == 0x20 || $0 >= 0x09 && $0 <= 0x0D }
  private static let maximumDepth = 16
  private static let maximumByteCount = 1024
  private static let maximumRepeat = 1000

  private let title: String
  private let bytes: [UInt8]
  private var position = 0
  private var depth = 0

  /// - Parameter title: how messages begin.
  init(_ source: String, title: String) {
    self.title = title
    bytes = Array(source.utf8)
  }

  mutating func parse() throws(LacunaError) -> Node {
    guard bytes.count <= Self.maximumByteCount else { throw refusal("at most \(Self.maximumByteCount) bytes") }
    let node = try parseChoice()
    guard position == bytes.count else { throw refusal("balanced parentheses") }
    return node
  }

  private mutating func parseChoice() throws(LacunaError) -> Node {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.maximumDepth else { throw refusal("at most \(Self.maximumDepth) nested groups") }
    var choices: [Node] = [try parseSequence()]
    while take("|") { choices.append(try parseSequence()) }
    return choices.count == 1 ? choices[0] : .choice(choices)
  }

  private mutating func parseSequence() throws(LacunaError) -> Node {
    var nodes: [Node] = []
    while let byte = peek(), byte != UInt8(ascii: "|"), byte != UInt8(ascii: ")") {
      nodes.append(try parseRepetition(of: try parseAtom()))
    }
    return .sequence(nodes)
  }

  private mutating func parseAtom() throws(LacunaError) -> Node {
    if take("(") { return try parseGroup() }
    if take("[") { return .bytes(try parseClass()) }
    if take("\\") { return try parseEscape() }
    if take("^") { return .start }
    if take("$") { return .end }
    if take(".") { return .bytes(ByteSet { $0 == 0x0A }.inverted) }
    guard let byte = peek(), !"*+?{".utf8.contains(byte) else { throw refusal("something to repeat") }
    position += 1
    return .bytes(ByteSet(byte...byte))
  }

  private mutating func parseGroup() throws(LacunaError) -> Node {
    var wrap: (Node) -> Node = { $0 }
    if take("?") {
      if take("=") {
        wrap = { .lookahead($0, isNegated: false) }
      } else if take("!") {
        wrap = { .lookahead($0, isNegated: true) }
      } else if !take(":") {
        throw refusal("(?:...), (?=...) or (?!...)")
      }
    }
    let node = try parseChoice()
    guard take(")") else { throw refusal("balanced parentheses") }
    return wrap(node)
  }

  private mutating func parseRepetition(of node: Node) throws(LacunaError) -> Node {
    let (least, most): (Int, Int)
    if take("*") {
      (least, most) = (0, .max)
    } else if take("+") {
      (least, most) = (1, .max)
    } else if take("?") {
      (least, most) = (0, 1)
    } else if take("{") {
      let low = parseNumber()
      let high = take(",") ? parseNumber() ?? .max : low
      guard let low, let high, low <= high, low <= Self.maximumRepeat, take("}") else {
        throw refusal("{m}, {m,} or {m,n} with m <= n and m <= \(Self.maximumRepeat)")
      }
      (least, most) = (low, high)
    } else {
      return node
    }
    let isLazy = take("?")
    if let byte = peek(), "*+?{".utf8.contains(byte) { throw refusal("one repetition at a time") }
    return .loop(node, least: least, most: most, isLazy: isLazy)
  }

  private mutating func parseNumber() -> Int? {
    var value: Int?
    while let byte = peek(), Self.digit.contains(byte), (value ?? 0) < 100_000 {
      value = (value ?? 0) * 10 + Int(byte - 0x30)
      position += 1
    }
    return value
  }

  private mutating func parseClass() throws(LacunaError) -> ByteSet {
    let isNegated = take("^")
    var set = ByteSet()
    var isFirst = true
    while isFirst || peek() != UInt8(ascii: "]") {
      isFirst = false
      guard let low = peek() else { throw refusal("']' at the end of a class") }
      position += 1
      if low == UInt8(ascii: "\\") {
        guard case .bytes(let escaped) = try parseEscape() else { throw refusal("a character in a class") }
        set.formUnion(escaped)
      } else if peek() == UInt8(ascii: "-"), position + 1 < bytes.count, bytes[position + 1] != UInt8(ascii: "]") {
        let high = bytes[position + 1]
        guard high != UInt8(ascii: "\\"), low <= high else { throw refusal("a rising range in a class") }
        position += 2
        set.formUnion(ByteSet(low...high))
      } else {
        set.insert(low)
      }
    }
    position += 1
    return isNegated ? set.inverted : set
  }

  private mutating func parseEscape() throws(LacunaError) -> Node {
    guard let byte = peek() else { throw refusal("a character after the backslash") }
    position += 1
    switch byte {
    case UInt8(ascii: "d"): return .bytes(Self.digit)
    case UInt8(ascii: "D"): return .bytes(Self.digit.inverted)
    case UInt8(ascii: "w"): return .bytes(Self.word)
    case UInt8(ascii: "W"): return .bytes(Self.word.inverted)
    case UInt8(ascii: "s"): return .bytes(Self.space)
    case UInt8(ascii: "S"): return .bytes(Self.space.inverted)
    case UInt8(ascii: "b"): return .wordBoundary(isNegated: false)
    case UInt8(ascii: "B"): return .wordBoundary(isNegated: true)
    case UInt8(ascii: "Z"): return .end
    case UInt8(ascii: "A"): return .start
    default:
      guard !Self.word.contains(byte) else { throw refusal("an escape other than \\\(UnicodeScalar(byte))") }
      return .bytes(ByteSet(byte...byte))
    }
  }

  private func peek() -> UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func take(_ character: Character) -> Bool {
    guard peek() == character.asciiValue else { return false }
    position += 1
    return true
  }

  private func refusal(_ expected: String) -> LacunaError {
    LacunaError(.unsupported, "\(title), byte \(position): expected \(expected)")
  }
}
