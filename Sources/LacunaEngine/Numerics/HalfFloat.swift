/// IEEE 754 binary16, read by arithmetic that vectorizes without F16C.
package enum HalfFloat {
  @inline(__always)
  package static func float(_ bits: UInt16) -> Float {
    let sign = UInt32(bits & 0x8000) &<< 16
    let magnitude = UInt32(bits & 0x7FFF) &<< 13
    // As a float32 with the same fields the value lacks a factor of 2^(127 - 15), subnormals included.
    let scaled = (Float(bitPattern: magnitude) * 0x1p112).bitPattern
    // Infinity and NaN keep their payload under float32's exponent of all ones.
    return Float(bitPattern: sign | (magnitude >= 0x0F80_0000 ? magnitude | 0x7F80_0000 : scaled))
  }

  /// The inverse of `float`; the value must be one that float16 has.
  @inline(__always)
  package static func bits(_ value: Float) -> UInt16 {
    let magnitude = Float(bitPattern: value.bitPattern & 0x7FFF_FFFF)
    let fields = magnitude.isFinite ? (magnitude * 0x1p-112).bitPattern : magnitude.bitPattern & 0x0FFF_FFFF
    return UInt16(truncatingIfNeeded: value.bitPattern &>> 16 & 0x8000 | fields &>> 13)
  }

  package static func encode(_ input: UnsafePointer<Float>, count: Int, into out: UnsafeMutablePointer<UInt16>) {
    for i in 0..<count { out[i] = bits(input[i]) }
  }

  package static func decode(_ input: UnsafePointer<UInt16>, count: Int, into out: UnsafeMutablePointer<Float>) {
    for i in 0..<count { out[i] = float(input[i]) }
  }
}
