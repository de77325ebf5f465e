/// A bfloat16: the upper half of a float32.
package struct BFloat16: Equatable, Sendable {
  package var bits: UInt16

  package init(bits: UInt16) { self.bits = bits }

  /// Rounds to nearest, ties to even. Values beyond the largest finite one become infinity; NaN stays NaN.
  @inline(__always)
  package init(_ value: Float) {
    let u = value.bitPattern
    let rounded = (u &+ 0x7FFF &+ ((u &>> 16) & 1)) &>> 16
    // A NaN's payload could be rounded away, leaving infinity: keep its upper half and make it quiet.
    let quiet = (u &>> 16) | 0x40
    bits = UInt16(truncatingIfNeeded: u & 0x7FFF_FFFF > 0x7F80_0000 ? quiet : rounded)
  }

  @inline(__always)
  package var float: Float { Float(bitPattern: UInt32(bits) &<< 16) }

  /// out[i] = in[i], rounded as `init(_:)` does.
  package static func encode(_ input: UnsafePointer<Float>, count: Int, into out: UnsafeMutablePointer<UInt16>) {
    for i in 0..<count { out[i] = BFloat16(input[i]).bits }
  }

  package static func decode(_ input: UnsafePointer<UInt16>, count: Int, into out: UnsafeMutablePointer<Float>) {
    for i in 0..<count { out[i] = BFloat16(bits: input[i]).float }
  }
}
