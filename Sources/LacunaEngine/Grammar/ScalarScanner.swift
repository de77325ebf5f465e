/// A cursor over a grammar's source text, for the readers of GBNF and of regular expressions.
struct ScalarScanner {
  /// How the source is called in messages: "gbnf", "regex".
  let source: String
  private let scalars: [UnicodeScalar]
  private(set) var position = 0

  init(_ text: String, source: String) {
    self.source = source
    scalars = Array(text.unicodeScalars)
  }

  var isAtEnd: Bool { position == scalars.count }
  var next: UnicodeScalar? { peek(0) }

  func peek(_ offset: Int) -> UnicodeScalar? {
    position + offset < scalars.count ? scalars[position + offset] : nil
  }

  mutating func advance() -> UnicodeScalar? {
    guard let scalar = next else { return nil }
    position += 1
    return scalar
  }

  mutating func take(_ text: String) -> Bool {
    let wanted = Array(text.unicodeScalars)
    guard position + wanted.count <= scalars.count, scalars[position..<position + wanted.count].elementsEqual(wanted)
    else { return false }
    position += wanted.count
    return true
  }

  mutating func skip(while condition: (UnicodeScalar) -> Bool) {
    while let scalar = next, condition(scalar) { position += 1 }
  }

  mutating func word(while condition: (UnicodeScalar) -> Bool) -> String {
    let start = position
    skip(while: condition)
    var text = String.UnicodeScalarView()
    text.append(contentsOf: scalars[start..<position])
    return String(text)
  }

  /// A decimal number of at most six digits; nil where there is none.
  mutating func number() throws(LacunaError) -> Int? {
    let digits = word { ("0"..."9").contains($0) }
    if digits.isEmpty { return nil }
    guard digits.count <= 6, let value = Int(digits) else {
      throw failure("expected a count below a million, found \(digits.prefix(20))")
    }
    return value
  }

  /// `count` hexadecimal digits.
  mutating func hexadecimal(_ count: Int) throws(LacunaError) -> UnicodeScalar {
    var value: UInt32 = 0
    for _ in 0..<count {
      guard let digit = next.flatMap({ Character($0).hexDigitValue }), count <= 8 else {
        throw failure("expected \(count) hexadecimal digits, found \(found)")
      }
      position += 1
      value = value << 4 | UInt32(digit)
    }
    guard let scalar = UnicodeScalar(value) else {
      throw failure("expected a Unicode scalar value, found U+\(String(value, radix: 16, uppercase: true))")
    }
    return scalar
  }

  /// {m}, {m,} or {m,n} behind its brace.
  mutating func bounds() throws(LacunaError) -> (minimum: Int, maximum: Int?) {
    guard let minimum = try number() else { throw failure("expected a count, found \(found)") }
    var maximum: Int? = minimum
    if take(",") { maximum = try number() }
    guard take("}") else { throw failure("expected '}', found \(found)") }
    if let maximum, maximum < minimum { throw failure("expected a count of at least \(minimum), found \(maximum)") }
    return (minimum, maximum)
  }

  var found: String { next.map { "'\($0)'" } ?? "the end" }

  func failure(_ text: String) -> LacunaError {
    let before = scalars[..<position]
    let line = before.reduce(1) { $1 == "\n" ? $0 + 1 : $0 }
    let column = position - (before.lastIndex(of: "\n").map { $0 + 1 } ?? 0) + 1
    return LacunaError(.invalidArgument, "\(source), line \(line), column \(column): \(text)")
  }
}
