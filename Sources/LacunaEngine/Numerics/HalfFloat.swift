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

  package static func decode(_ input: UnsafePointer<UInt16>, count: Int, into out: UnsafeMutablePointer<Float>) {
    for i in 0..<count { out[i] = float(input[i]) }
  }
}
