/// Float32 to E4M3 with one scale, for each row or for a matrix: absmax / 448, codes rounded to nearest even.
package enum Quantizer {
  /// `codes[i] = E4M3(row[i] / scale)`, where the division is float32's.
  ///
  /// A row that is all zero gets scale 1, and so does one so small that its scale would not be a normal number; its
  /// codes are zero.
  /// - Returns: the scale; nil if a value is not finite, with the codes undefined.
  package static func quantize(
    _ row: UnsafePointer<Float>, count: Int, into codes: UnsafeMutablePointer<UInt8>
  ) -> Float? {
    guard let largest = absoluteMaximum(row, count: count) else { return nil }
    let scale = scale(of: largest)
    Float8E4M3.encode(row, count: count, divisor: scale, into: codes)
    return scale
  }

  /// - Parameters:
  ///   - largest: the greatest magnitude among the values.
  ///   - greatest: what that becomes, the greatest value of the format.
  package static func scale(of largest: Float, to greatest: Float = Float8E4M3.greatestFiniteMagnitude) -> Float {
    let scale = largest / greatest
    return scale < .leastNormalMagnitude ? 1 : scale
  }

  /// nil if a value is not finite.
  static func absoluteMaximum(_ row: UnsafePointer<Float>, count: Int) -> Float? {
    // Bit patterns of magnitudes rise with them, infinities and NaN at the top: an integer maximum sees all.
    var most: UInt32 = 0
    for i in 0..<count { most = max(most, row[i].bitPattern & 0x7FFF_FFFF) }
    return most < 0x7F80_0000 ? Float(bitPattern: most) : nil
  }
}
