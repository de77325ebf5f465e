#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Counter-based random numbers: a draw is a pure function of (seed, stream, position, draw).
///
/// Nothing is carried from one draw to the next but the draw's number, so a rewound sequence repeats its draws, a fork
/// on its own stream does not share them, and neither batching nor threads can change them. The generator is
/// Philox4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011): the seed is
/// its key; stream, position and draw are its counter, so that no two of them ever share a block.
///
/// Every method below takes exactly one draw, whatever it returns.
public struct SeededRandom: Sendable, Equatable, RandomNumberGenerator {
  public let seed: UInt64
  public let stream: UInt64
  /// In a generation: how many tokens precede the one that is being chosen.
  public private(set) var position: UInt32
  /// The number of the next draw at this position.
  public private(set) var draw: UInt32

  public init(seed: UInt64, stream: UInt64 = 0, position: UInt32 = 0, draw: UInt32 = 0) {
    self.seed = seed
    self.stream = stream
    self.position = position
    self.draw = draw
  }

  /// 128 random bits; the draw's number goes up by one, and carries into the position after 2^32 draws.
  package mutating func nextBlock() -> (high: UInt64, low: UInt64) {
    let block = Self.philox(
      counter: SIMD4(draw, position, UInt32(truncatingIfNeeded: stream), UInt32(truncatingIfNeeded: stream >> 32)),
      key: SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32)))
    draw &+= 1
    if draw == 0 { position &+= 1 }
    return (UInt64(block[1]) << 32 | UInt64(block[0]), UInt64(block[3]) << 32 | UInt64(block[2]))
  }

  public mutating func next() -> UInt64 { nextBlock().high }

  /// Uniform in [0, 1), a multiple of 2^-53.
  public mutating func uniform() -> Double { Self.unit(nextBlock().high) }

  /// Standard normal (Box and Muller, 1958; the cosine branch).
  public mutating func normal() -> Double {
    let bits = nextBlock()
    return (-2 * log(Self.openUnit(bits.high))).squareRoot() * cos(2 * .pi * Self.unit(bits.low))
  }

  /// Standard Gumbel: -ln(-ln u). The index of the largest of `logit + gumbel()` is a draw from the softmax.
  public mutating func gumbel() -> Double { -log(-log(Self.openUnit(nextBlock().high))) }

  /// Uniform over the closed range. The odds of two values differ by less than 2^-64.
  public mutating func integer(in range: ClosedRange<Int64>) -> Int64 {
    let bits = nextBlock()
    let width = UInt64(bitPattern: range.upperBound &- range.lowerBound)
    guard width < .max else { return Int64(bitPattern: bits.high) }
    // floor(r * (width + 1) / 2^128) for the 128-bit number r = (high, low).
    let (span, below) = (width + 1, bits.low.multipliedFullWidth(by: width + 1).high)
    let above = bits.high.multipliedFullWidth(by: span)
    let carry: UInt64 = above.low.addingReportingOverflow(below).overflow ? 1 : 0
    return range.lowerBound &+ Int64(bitPattern: above.high &+ carry)
  }

  /// The stream of the n-th fork of a timeline on stream `parent`. Depends on nothing else, and forks of forks do not
  /// meet (but by chance, 1 in 2^64).
  public static func hash(_ parent: UInt64, _ n: UInt64) -> UInt64 {
    let block = philox(
      counter: SIMD4(
        UInt32(truncatingIfNeeded: n), UInt32(truncatingIfNeeded: n >> 32), UInt32(truncatingIfNeeded: parent),
        UInt32(truncatingIfNeeded: parent >> 32)),
      // A key of its own ("lacuna", "fork" in ASCII), apart from the seeds that people choose.
      key: SIMD2(0x6C61_6375, 0x666F_726B))
    return UInt64(block[1]) << 32 | UInt64(block[0])
  }

  /// One block of Philox4x32-10, words in the order of the paper's reference implementation.
  package static func philox(counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
    var (c0, c1, c2, c3) = (counter[0], counter[1], counter[2], counter[3])
    var (k0, k1) = (key[0], key[1])
    for _ in 0..<10 {
      let p0 = UInt64(c0) &* 0xD251_1F53
      let p1 = UInt64(c2) &* 0xCD9E_8D57
      c0 = UInt32(truncatingIfNeeded: p1 >> 32) ^ c1 ^ k0
      c2 = UInt32(truncatingIfNeeded: p0 >> 32) ^ c3 ^ k1
      c1 = UInt32(truncatingIfNeeded: p1)
      c3 = UInt32(truncatingIfNeeded: p0)
      // Weyl sequence of the key: the golden ratio and sqrt(3) - 1.
      k0 &+= 0x9E37_79B9
      k1 &+= 0xBB67_AE85
    }
    return SIMD4(c0, c1, c2, c3)
  }

  /// [0, 1).
  private static func unit(_ bits: UInt64) -> Double { Double(bits >> 11) * 0x1p-53 }
  /// (0, 1): the middles of 2^52 equal intervals.
  private static func openUnit(_ bits: UInt64) -> Double { (Double(bits >> 12) + 0.5) * 0x1p-52 }
}
