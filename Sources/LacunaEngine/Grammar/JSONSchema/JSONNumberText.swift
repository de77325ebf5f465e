/// Decimal numbers within bounds, as grammars over their digits.
enum JSONNumberText {
  private static func digits(_ range: ClosedRange<Int>) -> GrammarNode {
    ScalarSet([UInt32(0x30 + range.lowerBound)...UInt32(0x30 + range.upperBound)]).node
  }

  private static let digit = digits(0...9)
  static let fraction = GrammarNode.sequence([.text("."), .repetition(digit, minimum: 1, maximum: 20)])
  private static let exponent = GrammarNode.sequence([
    ScalarSet("eE".unicodeScalars).node, .optional(ScalarSet("+-".unicodeScalars).node),
    .repetition(digit, minimum: 1, maximum: 2),
  ])
  private static let natural = GrammarNode.choice([
    .text("0"), .sequence([digits(1...9), .repetition(digit, minimum: 0, maximum: 17)]),
  ])

  /// Any integer of at most 18 digits, which every reader holds exactly.
  static let integer = GrammarNode.sequence([.optional(.text("-")), natural])
  static let number = GrammarNode.sequence([integer, .optional(fraction), .optional(exponent)])

  /// Integers in the range; nil is without bound. nil where there are none.
  static func integer(_ low: Int?, _ high: Int?) -> GrammarNode? {
    let low = max(low ?? -limit, -limit)
    let high = min(high ?? limit, limit)
    guard low <= high else { return nil }
    var options: [GrammarNode] = []
    if low < 0 {
      options.append(.sequence([.text("-"), natural(max(1, -min(high, -1)), -low)]))
    }
    if high >= 0 { options.append(natural(max(low, 0), high)) }
    return .choice(options)
  }

  /// Numbers in the range, without exponents. Where a bound has a fraction, numbers between it and the next integer are
  /// left out. nil where there are none.
  static func number(_ low: Double?, _ high: Double?, lowIsOpen: Bool, highIsOpen: Bool) -> GrammarNode? {
    func inside(_ value: Double) -> Bool {
      (low.map { lowIsOpen ? value > $0 : value >= $0 } ?? true)
        && (high.map { highIsOpen ? value < $0 : value <= $0 } ?? true)
    }
    let span = Double(limit)
    let least = max(low ?? -span, -span).rounded(.up)
    let most = min(high ?? span, span).rounded(.down)
    guard least <= most, let first = Int(exactly: least), let last = Int(exactly: most) else { return nil }
    var options: [GrammarNode] = []
    // Whole numbers, with a fraction of zeros or none.
    if let whole = integer(inside(least) ? first : first + 1, inside(most) ? last : last - 1) {
      options.append(
        .sequence([
          whole, .optional(.sequence([.text("."), .repetition(.text("0"), minimum: 1, maximum: 20)])),
        ]))
    }
    // Whole parts whose every fraction lies inside; zero itself is above and below.
    let tail = GrammarNode.sequence([
      .text("."), .repetition(.text("0"), minimum: 0, maximum: 19), digits(1...9),
      .repetition(digit, minimum: 0, maximum: 20),
    ])
    if last > 0, last - 1 >= max(first, 0), let whole = integer(max(first, 0), last - 1) {
      options.append(.sequence([whole, tail]))
    }
    if first < 0, min(last, 0) - 1 >= first {
      options.append(.sequence([.text("-"), natural(-min(last, 0), -first - 1), tail]))
    }
    return options.isEmpty ? nil : .choice(options)
  }

  private static let limit = 999_999_999_999_999_999

  /// 0 <= low <= high, without leading zeros.
  private static func natural(_ low: Int, _ high: Int) -> GrammarNode {
    var options: [GrammarNode] = []
    var low = low
    while low <= high {
      let length = "\(low)".count
      let longest = length >= 18 ? limit : (0..<length).reduce(1) { value, _ in value * 10 } - 1
      let end = min(high, longest)
      options.append(sameLength(Array("\(low)".utf8).map { Int($0) - 48 }, Array("\(end)".utf8).map { Int($0) - 48 }))
      if end == limit { break }
      low = end + 1
    }
    return options.count == 1 ? options[0] : .choice(options)
  }

  /// Digit strings between two of the same length.
  private static func sameLength(_ low: [Int], _ high: [Int]) -> GrammarNode {
    if low.isEmpty { return .empty }
    let count = low.count - 1
    let free = GrammarNode.repetition(digit, minimum: count, maximum: count)
    if low.allSatisfy({ $0 == 0 }), high.allSatisfy({ $0 == 9 }) { return .sequence([digit, free]) }
    let (lowRest, highRest) = (Array(low.dropFirst()), Array(high.dropFirst()))
    if low[0] == high[0] { return .sequence([digits(low[0]...low[0]), sameLength(lowRest, highRest)]) }
    let nines = [Int](repeating: 9, count: count)
    let zeros = [Int](repeating: 0, count: count)
    var options: [GrammarNode] = [.sequence([digits(low[0]...low[0]), sameLength(lowRest, nines)])]
    if low[0] + 1 < high[0] { options.append(.sequence([digits(low[0] + 1...high[0] - 1), free])) }
    options.append(.sequence([digits(high[0]...high[0]), sameLength(zeros, highRest)]))
    return .choice(options)
  }
}
