import LacunaEngine
import Testing

@Suite("Small floats")
struct SmallFloatTests {
  /// The values of the codes 0x00...0x7E by the format's definition, in Double.
  private let e4m3Values: [Double] = (0..<127).map { code in
    let (exponent, mantissa) = (code >> 3, Double(code & 7))
    return exponent == 0
      ? mantissa * 0x1p-9 : (1 + mantissa / 8) * Double(sign: .plus, exponent: exponent - 7, significand: 1)
  }

  @Test("every E4M3 code has the value of its definition")
  func e4m3Decode() {
    for code in 0..<127 {
      #expect(Float8E4M3(bits: UInt8(code)).float == Float(e4m3Values[code]))
      #expect(Float8E4M3(bits: UInt8(code | 0x80)).float == -Float(e4m3Values[code]))
    }
    #expect(Float8E4M3(bits: 0x7F).float.isNaN && Float8E4M3(bits: 0xFF).float.isNaN)
    #expect(Float8E4M3(bits: 0x80).float.sign == .minus)
  }

  /// The nearest code by search, the even one of two that are equally near.
  private func nearest(_ value: Double) -> UInt8 {
    let above = e4m3Values.partitioningIndex { $0 >= value }
    guard above < 127 else { return 126 }
    guard above > 0 else { return 0 }
    let (low, high) = (value - e4m3Values[above - 1], e4m3Values[above] - value)
    return UInt8(low < high || low == high && (above - 1).isMultiple(of: 2) ? above - 1 : above)
  }

  @Test("rounding to E4M3 finds the nearest code, ties to even, and saturates")
  func e4m3Encode() {
    // Every float with 16 significant bits below, at and above each tie: 2^16 upper halves, three lower ones.
    var wrong: [Float] = []
    for upper in UInt32(0)...0xFFFF {
      for lower: UInt32 in [0, 1, 0x8000, 0xFFFF] {
        let value = Float(bitPattern: upper << 16 | lower)
        let code = Float8E4M3(value).bits
        if value.isNaN {
          if code & 0x7F != 0x7F { wrong.append(value) }
        } else if code != nearest(Double(abs(value))) | (value.sign == .minus ? 0x80 : 0) {
          wrong.append(value)
        }
      }
    }
    #expect(wrong.isEmpty, "\(wrong.prefix(4))")
    for code in 0..<126 {
      let tie = Float((e4m3Values[code] + e4m3Values[code + 1]) / 2)
      #expect(Float8E4M3(tie).bits == UInt8(code.isMultiple(of: 2) ? code : code + 1))
      #expect(Float8E4M3(tie.nextUp).bits == UInt8(code + 1))
      #expect(Float8E4M3(tie.nextDown).bits == UInt8(code))
    }
  }

  @Test("rounding to bfloat16 finds the nearest value, ties to even")
  func bf16Encode() {
    var wrong: [Float] = []
    for upper in UInt32(0)..<0xFFFF where upper & 0x7FFF < 0x7F80 {
      for lower: UInt32 in [0, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF] {
        // Going up one code is going up one upper half, for either sign: infinity follows the largest finite value.
        let expected = lower > 0x8000 || lower == 0x8000 && upper & 1 == 1 ? upper + 1 : upper
        let value = Float(bitPattern: upper << 16 | lower)
        if BFloat16(value).bits != UInt16(truncatingIfNeeded: expected) { wrong.append(value) }
      }
    }
    #expect(wrong.isEmpty, "\(wrong.prefix(4))")
    #expect(BFloat16(.infinity).float == .infinity)
    #expect(BFloat16(.nan).float.isNaN)
    // A NaN whose payload lies in the lower half only must not become infinity.
    #expect(BFloat16(Float(bitPattern: 0x7F80_0001)).float.isNaN)
  }

  @Test("every binary16 has the value that the language gives it")
  func half() {
    var wrong: [UInt16] = []
    for bits in UInt16.min...UInt16.max {
      let (found, expected) = (HalfFloat.float(bits), Float(Float16(bitPattern: bits)))
      if expected.isNaN ? !found.isNaN : found.bitPattern != expected.bitPattern { wrong.append(bits) }
    }
    #expect(wrong.isEmpty, "\(wrong.prefix(4))")
  }

  @Test("every binary16 comes back from its float32")
  func halfAndBack() {
    let wrong = (UInt16.min...UInt16.max).filter { HalfFloat.bits(HalfFloat.float($0)) != $0 }
    #expect(wrong.isEmpty, "\(wrong.prefix(4))")
  }
}

extension Array {
  /// The first index whose element satisfies the predicate, which is false before it and true from it on.
  fileprivate func partitioningIndex(where predicate: (Element) -> Bool) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if predicate(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
