/// Formats that weights are rounded to without being stored in them: each value becomes the nearest one that the format has,
/// and stays a float.
///
/// A row is an output channel; groups lie along it.
package enum RoundToNearest: String, Sendable, CaseIterable {
  /// An 8-bit float with 5 exponent and 2 mantissa bits (Micikevicius et al. 2022, "FP8 Formats for Deep Learning"), with one
  /// scale a row: absmax / 57344.
  case e5m2
  /// Integers with a scale and a zero point for each group of 128 in a row, the last one of a row perhaps shorter:
  /// scale = (max - min) / (2^bits - 1), zero = -round(min / scale), and w becomes
  /// (clamp(round(w / scale) + zero, 0, 2^bits - 1) - zero) * scale, ties to even. This is the round-to-nearest that GPTQ and
  /// AWQ compare themselves with (Lin et al. 2023, `pseudo_quantize_tensor` of llm-awq).
  case int8, int4

  package static let groupSize = 128

  /// Rounds a row in place.
  /// - Returns: false if a value is not finite, with the row undefined.
  package func round(_ row: UnsafeMutablePointer<Float>, count: Int) -> Bool {
    switch self {
    case .e5m2: Self.roundToE5M2(row, count: count)
    case .int8: Self.roundToIntegers(row, count: count, greatest: 255)
    case .int4: Self.roundToIntegers(row, count: count, greatest: 15)
    }
  }

  private static func roundToE5M2(_ row: UnsafeMutablePointer<Float>, count: Int) -> Bool {
    guard let largest = Quantizer.absoluteMaximum(row, count: count) else { return false }
    let scale = Quantizer.scale(of: largest, to: greatestE5M2)
    for i in 0..<count { row[i] = nearestE5M2(row[i] / scale) * scale }
    return true
  }

  private static let greatestE5M2: Float = 57344

  /// Ties to even; what is beyond the greatest value becomes it.
  private static func nearestE5M2(_ value: Float) -> Float {
    let magnitude = min(abs(value), greatestE5M2)
    // Below 2^-14 values come in steps of 2^-16, which is the step of float32 at 2^7: the addition rounds. Above, the
    // float's own mantissa is rounded to 2 bits.
    let u = magnitude.bitPattern
    let normal = Float(bitPattern: (u &+ 0xF_FFFF &+ ((u &>> 21) & 1)) & ~0x1F_FFFF)
    let rounded = magnitude < 0x1p-14 ? (magnitude + 128) - 128 : normal
    return value.sign == .minus ? -rounded : rounded
  }

  private static func roundToIntegers(_ row: UnsafeMutablePointer<Float>, count: Int, greatest: Float) -> Bool {
    guard Quantizer.absoluteMaximum(row, count: count) != nil else { return false }
    for start in stride(from: 0, to: count, by: groupSize) {
      let group = UnsafeMutableBufferPointer(start: row + start, count: min(groupSize, count - start))
      let (low, high) = group.reduce((Float.infinity, -Float.infinity)) { (min($0.0, $1), max($0.1, $1)) }
      // The bound is llm-awq's: a group of equal values would have no scale.
      let scale = max(high - low, 1e-5) / greatest
      let zero = min(max(-(low / scale).rounded(.toNearestOrEven), 0), greatest)
      for i in group.indices {
        let code = min(max((group[i] / scale).rounded(.toNearestOrEven) + zero, 0), greatest)
        group[i] = (code - zero) * scale
      }
    }
    return true
  }
}
