/// A set of bytes, as automata and patterns step over them.
struct ByteSet: Hashable, Sendable {
  private var words: SIMD4<UInt64> = .zero

  init() {}

  init(_ range: ClosedRange<UInt8>) {
    for byte in range { insert(byte) }
  }

  init(where predicate: (UInt8) -> Bool) {
    for byte in UInt8.min...UInt8.max where predicate(byte) { insert(byte) }
  }

  mutating func insert(_ byte: UInt8) { words[Int(byte >> 6)] |= 1 << UInt64(byte & 63) }
  mutating func formUnion(_ other: ByteSet) { words |= other.words }
  func contains(_ byte: UInt8) -> Bool { words[Int(byte >> 6)] >> UInt64(byte & 63) & 1 == 1 }
  var isEmpty: Bool { words == .zero }

  var inverted: ByteSet {
    var other = self
    other.words = ~words
    return other
  }
}
