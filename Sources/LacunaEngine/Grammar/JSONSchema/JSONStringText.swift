/// How characters are written inside a JSON string (RFC 8259, section 7).
enum JSONStringText {
  private static let short: [UnicodeScalar: String] = [
    "\"": "\\\"", "\\": "\\\\", "\u{8}": "\\b", "\u{C}": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t",
  ]
  private static let mustEscape = ScalarSet([0x00...0x1F, 0x22...0x22, 0x5C...0x5C])

  /// nil for what stands for itself.
  private static func escape(_ scalar: UnicodeScalar) -> String? {
    if let escape = short[scalar] { return escape }
    guard scalar.value < 0x20 else { return nil }
    let digits = String(scalar.value, radix: 16)
    return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
  }

  /// One character of the set, each written in one way.
  static func node(_ set: ScalarSet) -> GrammarNode {
    let plain = set.subtracting(mustEscape)
    var options: [GrammarNode] = plain.isEmpty ? [] : [plain.node]
    for range in set.intersection(mustEscape).ranges {
      for value in range { options += UnicodeScalar(value).flatMap(escape).map { [.text($0)] } ?? [] }
    }
    return .choice(options)
  }

  /// Any character, in every way that JSON has but for surrogate pairs spelled out.
  static var anyCharacter: GrammarNode {
    let hex = ScalarSet("0123456789abcdefABCDEF".unicodeScalars)
    let lowHex = ScalarSet("01234567".unicodeScalars)
    let notD = hex.subtracting(ScalarSet("dD".unicodeScalars))
    let unicode = GrammarNode.sequence([
      .text("u"),
      .choice([
        .sequence([notD.node, hex.node]), .sequence([ScalarSet("dD".unicodeScalars).node, lowHex.node]),
      ]), hex.node, hex.node,
    ])
    return .choice([
      ScalarSet.all.subtracting(mustEscape).node,
      .sequence([.text("\\"), .choice([ScalarSet("\"\\/bfnrt".unicodeScalars).node, unicode])]),
    ])
  }
}
