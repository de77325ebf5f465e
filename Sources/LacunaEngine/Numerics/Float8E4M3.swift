/// An 8-bit float with 4 exponent and 3 mantissa bits, bias 7, no infinities, NaN as 0x7F and 0xFF ("E4M3FN").
///
/// Format: Micikevicius et al. 2022, "FP8 Formats for Deep Learning". Subnormals are multiples of 2^-9; the largest
/// value is 448.
package struct Float8E4M3: Equatable, Sendable {
  package var bits: UInt8

  package static let greatestFiniteMagnitude: Float = 448

  package init(bits: UInt8) { self.bits = bits }

  /// Rounds to nearest, ties to even, and saturates: whatever would round beyond +-448, infinity included, becomes
  /// +-448. NaN becomes NaN of the same sign.
  @inline(__always)
  package init(_ value: Float) {
    let sign = (value.bitPattern &>> 24) & 0x80
    let u = value.bitPattern & 0x7FFF_FFFF
    let clamped = min(u, 0x43E0_0000)  // 448
    // Normal numbers: round the float's mantissa to 3 bits, then move the exponent from bias 127 to bias 7.
    let normal = ((clamped &+ 0x7FFFF &+ ((clamped &>> 20) & 1)) &>> 20) &- (120 &<< 3)
    // Below 2^-6 the codes count in steps of 2^-9, which is the step of float32 at 2^14: the addition rounds.
    let subnormal = (Float(bitPattern: clamped) + 16384).bitPattern &- Float(16384).bitPattern
    let code = clamped < 0x3C80_0000 ? subnormal : normal
    bits = UInt8(truncatingIfNeeded: sign | (u > 0x7F80_0000 ? 0x7F : code))
  }

  @inline(__always)
  package var float: Float {
    // As a float32 with the same fields the value lacks a factor of 2^(127 - 7), subnormals included.
    let magnitude = Float(bitPattern: UInt32(bits & 0x7F) &<< 20) * 0x1p120
    let signed = Float(bitPattern: magnitude.bitPattern | UInt32(bits & 0x80) &<< 24)
    return bits & 0x7F == 0x7F ? .nan : signed
  }

  package var isNaN: Bool { bits & 0x7F == 0x7F }

  /// The value of every code.
  package static let values: [Float] = (0...255).map { Float8E4M3(bits: $0).float }

  /// out[i] = in[i] / divisor, rounded as `init(_:)` does.
  package static func encode(
    _ input: UnsafePointer<Float>, count: Int, divisor: Float, into out: UnsafeMutablePointer<UInt8>
  ) {
    for i in 0..<count { out[i] = Float8E4M3(input[i] / divisor).bits }
  }

  /// out[i] = in[i] * scale.
  package static func decode(
    _ input: UnsafePointer<UInt8>, count: Int, scale: Float, into out: UnsafeMutablePointer<Float>
  ) {
    for i in 0..<count { out[i] = Float8E4M3(bits: input[i]).float * scale }
  }
}
