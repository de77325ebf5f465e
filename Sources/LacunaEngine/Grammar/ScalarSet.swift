/// A set of Unicode scalar values as ascending ranges, and its UTF-8 as a grammar node.
struct ScalarSet: Hashable, Sendable {
  /// Ascending, disjoint, not adjacent.
  private(set) var ranges: [ClosedRange<UInt32>]

  /// - Parameter ranges: in any order, overlapping or not; surrogates are left out.
  init(_ ranges: [ClosedRange<UInt32>] = []) {
    let cut = ranges.flatMap { range -> [ClosedRange<UInt32>] in
      var parts: [ClosedRange<UInt32>] = []
      if range.lowerBound < 0xD800 { parts.append(range.lowerBound...min(range.upperBound, 0xD7FF)) }
      if range.upperBound > 0xDFFF, range.lowerBound <= 0x10FFFF {
        parts.append(max(range.lowerBound, 0xE000)...min(range.upperBound, 0x10FFFF))
      }
      return parts.filter { !$0.isEmpty }
    }
    var merged: [ClosedRange<UInt32>] = []
    for range in cut.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if let last = merged.last, range.lowerBound <= last.upperBound + 1 {
        merged[merged.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
      } else {
        merged.append(range)
      }
    }
    self.ranges = merged
  }

  init(_ scalars: some Sequence<UnicodeScalar>) { self.init(scalars.map { $0.value...$0.value }) }

  static let all = ScalarSet([0...0x10FFFF])

  var isEmpty: Bool { ranges.isEmpty }

  var inverted: ScalarSet {
    var result: [ClosedRange<UInt32>] = []
    var next: UInt32 = 0
    for range in ranges {
      if range.lowerBound > next { result.append(next...range.lowerBound - 1) }
      next = range.upperBound + 1
    }
    if next <= 0x10FFFF { result.append(next...0x10FFFF) }
    return ScalarSet(result)
  }

  func union(_ other: ScalarSet) -> ScalarSet { ScalarSet(ranges + other.ranges) }
  func subtracting(_ other: ScalarSet) -> ScalarSet { inverted.union(other).inverted }
  func intersection(_ other: ScalarSet) -> ScalarSet { subtracting(other.inverted) }

  func contains(_ scalar: UnicodeScalar) -> Bool { ranges.contains { $0.contains(scalar.value) } }

  /// The UTF-8 of one of the scalars.
  var node: GrammarNode {
    var oneByte = ByteSet()
    var options: [GrammarNode] = []
    for range in ranges {
      for (length, limits) in zip(1..., Self.lengths) {
        let low = max(range.lowerBound, limits.lowerBound)
        let high = min(range.upperBound, limits.upperBound)
        guard low <= high else { continue }
        if length == 1 {
          for byte in UInt8(low)...UInt8(high) { oneByte.insert(byte) }
        } else {
          options += Self.sequences(Self.utf8(low, length), Self.utf8(high, length))
        }
      }
    }
    if !oneByte.isEmpty { options.insert(.bytes(oneByte), at: 0) }
    return options.count == 1 ? options[0] : .choice(options)
  }

  /// Scalars by the number of bytes of their UTF-8.
  private static let lengths: [ClosedRange<UInt32>] = [0...0x7F, 0x80...0x7FF, 0x800...0xFFFF, 0x10000...0x10FFFF]

  private static func utf8(_ value: UInt32, _ length: Int) -> [UInt8] {
    var bytes = (0..<length).map { UInt8(0x80 | (value >> UInt32(6 * (length - 1 - $0))) & 0x3F) }
    let lead: [UInt32] = [0x00, 0xC0, 0xE0, 0xF0]
    bytes[0] = UInt8(lead[length - 1] | value >> UInt32(6 * (length - 1)))
    return bytes
  }

  /// Every byte string of this length between `low` and `high` whose bytes after the first are continuation bytes.
  private static func sequences(_ low: [UInt8], _ high: [UInt8]) -> [GrammarNode] {
    if low.count == 1 { return [.bytes(ByteSet(low[0]...high[0]))] }
    let (lowRest, highRest) = (Array(low.dropFirst()), Array(high.dropFirst()))
    let least = [UInt8](repeating: 0x80, count: lowRest.count)
    let most = [UInt8](repeating: 0xBF, count: lowRest.count)
    func head(_ range: ClosedRange<UInt8>, _ rest: [GrammarNode]) -> [GrammarNode] {
      [.sequence([.bytes(ByteSet(range)), rest.count == 1 ? rest[0] : .choice(rest)])]
    }
    if low[0] == high[0] { return head(low[0]...low[0], sequences(lowRest, highRest)) }
    var result: [GrammarNode] = []
    var (first, last) = (low[0], high[0])
    if lowRest != least {
      result += head(first...first, sequences(lowRest, most))
      first += 1
    }
    var tail: [GrammarNode] = []
    if highRest != most {
      tail = head(last...last, sequences(least, highRest))
      last -= 1
    }
    if first <= last { result += head(first...last, sequences(least, most)) }
    return result + tail
  }
}
