/// The K types: blocks of 256 values in sub-blocks of 32 (Q4_K, Q5_K) or 16 (Q6_K), whose scales are quantized too.
extension GGUFBlocks {
  /// Scale and minimum of sub-block `j` (0 to 7) of Q4_K and Q5_K, six bits each, packed in 12 bytes: the first four
  /// in the low bits of bytes 0 to 3 and 4 to 7; the last four in the nibbles of bytes 8 to 11, their upper two bits
  /// in the upper two of bytes 0 to 7.
  @inline(__always)
  private static func scaleAndMinimum(_ packed: UnsafeRawPointer, _ j: Int) -> (UInt8, UInt8) {
    if j < 4 { return (byte(packed, j) & 63, byte(packed, j + 4) & 63) }
    let nibbles = byte(packed, j + 4)
    return (nibbles & 15 | (byte(packed, j - 4) &>> 6) &<< 4, nibbles &>> 4 | (byte(packed, j) &>> 6) &<< 4)
  }

  /// Block of 144 bytes: d, dmin, 12 bytes of scales and minima, 128 bytes of nibbles; each 32 bytes hold one
  /// sub-block in their low nibbles and the next in their high ones. Value: (d * scale) * q - dmin * minimum.
  static func decodeQ4K(_ input: UnsafeRawPointer, blocks: Int, _ out: UnsafeMutablePointer<Float>) {
    for block in 0..<blocks {
      let source = input + 144 * block
      let d = half(source, 0)
      let dmin = half(source, 2)
      for pair in 0..<4 {
        let (scale0, minimum0) = scaleAndMinimum(source + 4, 2 * pair)
        let (scale1, minimum1) = scaleAndMinimum(source + 4, 2 * pair + 1)
        let (d0, m0) = (d * Float(scale0), dmin * Float(minimum0))
        let (d1, m1) = (d * Float(scale1), dmin * Float(minimum1))
        let quants = source + 16 + 32 * pair
        let target = out + 256 * block + 64 * pair
        for j in 0..<32 {
          let q = byte(quants, j)
          target[j] = d0 * Float(q & 15) - m0
          target[j + 32] = d1 * Float(q &>> 4) - m1
        }
      }
    }
  }

  /// Block of 176 bytes: as Q4_K with 32 bytes of fifth bits before the nibbles; bit `i` of byte `j` belongs to
  /// value `j` of sub-block `i`.
  static func decodeQ5K(_ input: UnsafeRawPointer, blocks: Int, _ out: UnsafeMutablePointer<Float>) {
    for block in 0..<blocks {
      let source = input + 176 * block
      let d = half(source, 0)
      let dmin = half(source, 2)
      for pair in 0..<4 {
        let (scale0, minimum0) = scaleAndMinimum(source + 4, 2 * pair)
        let (scale1, minimum1) = scaleAndMinimum(source + 4, 2 * pair + 1)
        let (d0, m0) = (d * Float(scale0), dmin * Float(minimum0))
        let (d1, m1) = (d * Float(scale1), dmin * Float(minimum1))
        let quants = source + 48 + 32 * pair
        let shift = UInt8(2 * pair)
        let target = out + 256 * block + 64 * pair
        for j in 0..<32 {
          let q = byte(quants, j)
          let high = byte(source, 16 + j) &>> shift
          target[j] = d0 * Float(q & 15 | (high & 1) &<< 4) - m0
          target[j + 32] = d1 * Float(q &>> 4 | (high &>> 1 & 1) &<< 4) - m1
        }
      }
    }
  }

  /// Block of 210 bytes: 128 bytes of low nibbles, 64 of upper two bits, 16 int8 scales, d. Each half of the block
  /// is four runs of 32 values: the low nibbles of 32 bytes, those of the next 32, then the high nibbles of both;
  /// byte `j` of the half's 32 upper-bit bytes has two bits for value `j` of each run. Values count from -32.
  static func decodeQ6K(_ input: UnsafeRawPointer, blocks: Int, _ out: UnsafeMutablePointer<Float>) {
    for block in 0..<blocks {
      let source = input + 210 * block
      let d = half(source, 208)
      for part in 0..<2 {
        let low = source + 64 * part
        let high = source + 128 + 32 * part
        let scales = source + 192 + 8 * part
        let target = out + 256 * block + 128 * part
        for run in 0..<4 {
          let nibbleShift = UInt8(run / 2 * 4)
          let highShift = UInt8(2 * run)
          for j in 0..<32 {
            let nibble = byte(low, run % 2 * 32 + j) &>> nibbleShift & 15
            let q = Int32(nibble | (byte(high, j) &>> highShift & 3) &<< 4) &- 32
            let scale = Int8(bitPattern: byte(scales, 2 * run + j / 16))
            target[32 * run + j] = d * Float(scale) * Float(q)
          }
        }
      }
    }
  }
}
