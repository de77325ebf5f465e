/// Decoding of GGUF's tensor types to float32, written from the definition of each block.
///
/// A block of the "_0" types is `d * q`, of the "_1" types `d * q + m`, with float16 d and m; in the K types
/// (GGUFBlocks+K) sub-blocks have scales of their own. All arithmetic is float32, one rounding an operation, as in
/// ggml's reference code.
package enum GGUFBlocks {
  /// - Parameters:
  ///   - count: values, a multiple of the encoding's block length.
  ///   - input: the first block; need not be aligned.
  ///   - out: room for `count` floats.
  package static func decode(
    _ encoding: GGUFTensorType.Encoding, from input: UnsafeRawPointer, count: Int, into out: UnsafeMutablePointer<Float>
  ) {
    switch encoding {
    case .f32:
      for i in 0..<count {
        out[i] = Float(bitPattern: UInt32(littleEndian: input.loadUnaligned(fromByteOffset: 4 * i, as: UInt32.self)))
      }
    case .f16: for i in 0..<count { out[i] = half(input, 2 * i) }
    case .bf16:
      for i in 0..<count {
        let bits = UInt16(littleEndian: input.loadUnaligned(fromByteOffset: 2 * i, as: UInt16.self))
        out[i] = BFloat16(bits: bits).float
      }
    case .q8_0: decodeQ8(input, blocks: count / 32, out)
    case .q4_0: decodeQ4(input, blocks: count / 32, hasMinimum: false, out)
    case .q4_1: decodeQ4(input, blocks: count / 32, hasMinimum: true, out)
    case .q5_0: decodeQ5(input, blocks: count / 32, hasMinimum: false, out)
    case .q5_1: decodeQ5(input, blocks: count / 32, hasMinimum: true, out)
    case .q4K: decodeQ4K(input, blocks: count / 256, out)
    case .q5K: decodeQ5K(input, blocks: count / 256, out)
    case .q6K: decodeQ6K(input, blocks: count / 256, out)
    }
  }

  /// The float16 at a byte offset.
  @inline(__always)
  static func half(_ input: UnsafeRawPointer, _ byteOffset: Int) -> Float {
    HalfFloat.float(UInt16(littleEndian: input.loadUnaligned(fromByteOffset: byteOffset, as: UInt16.self)))
  }

  @inline(__always)
  static func byte(_ input: UnsafeRawPointer, _ byteOffset: Int) -> UInt8 {
    input.load(fromByteOffset: byteOffset, as: UInt8.self)
  }

  /// Block of 34 bytes: d, then 32 int8.
  private static func decodeQ8(_ input: UnsafeRawPointer, blocks: Int, _ out: UnsafeMutablePointer<Float>) {
    for block in 0..<blocks {
      let source = input + 34 * block
      let d = half(source, 0)
      let target = out + 32 * block
      for j in 0..<32 { target[j] = d * Float(Int8(bitPattern: byte(source, 2 + j))) }
    }
  }

  /// Blocks of 18 (Q4_0) or 20 bytes (Q4_1): d, the minimum m in Q4_1, 16 bytes of which the low nibbles are values
  /// 0 to 15 and the high ones values 16 to 31. Q4_0 counts from -8.
  private static func decodeQ4(
    _ input: UnsafeRawPointer, blocks: Int, hasMinimum: Bool, _ out: UnsafeMutablePointer<Float>
  ) {
    let size = hasMinimum ? 20 : 18
    let bias: Int32 = hasMinimum ? 0 : -8
    for block in 0..<blocks {
      let source = input + size * block
      let d = half(source, 0)
      // A sum with -0 leaves every value as it is, the sign of zero included.
      let m = hasMinimum ? half(source, 2) : -0.0
      let target = out + 32 * block
      for j in 0..<16 {
        let pair = Int32(byte(source, size - 16 + j))
        target[j] = d * Float(pair & 15 &+ bias) + m
        target[j + 16] = d * Float(pair &>> 4 &+ bias) + m
      }
    }
  }

  /// Blocks of 22 (Q5_0) or 24 bytes (Q5_1): d, m in Q5_1, 32 fifth bits, then nibbles as in Q4. Q5_0 counts
  /// from -16.
  private static func decodeQ5(
    _ input: UnsafeRawPointer, blocks: Int, hasMinimum: Bool, _ out: UnsafeMutablePointer<Float>
  ) {
    let size = hasMinimum ? 24 : 22
    let bias: Int32 = hasMinimum ? 0 : -16
    for block in 0..<blocks {
      let source = input + size * block
      let d = half(source, 0)
      let m = hasMinimum ? half(source, 2) : -0.0
      let high = UInt32(littleEndian: source.loadUnaligned(fromByteOffset: size - 20, as: UInt32.self))
      let target = out + 32 * block
      for j in 0..<16 {
        let pair = UInt32(byte(source, size - 16 + j))
        let low = pair & 15 | (high &>> UInt32(j) & 1) &<< 4
        let up = pair &>> 4 | (high &>> UInt32(j + 16) & 1) &<< 4
        target[j] = d * Float(Int32(low) &+ bias) + m
        target[j + 16] = d * Float(Int32(up) &+ bias) + m
      }
    }
  }
}

extension GGUFTensorType.Encoding {
  /// Where a block's float16 scales and minima lie; none for the plain types.
  var scaleOffsets: [Int] {
    switch self {
    case .f32, .f16, .bf16: []
    case .q8_0, .q4_0, .q5_0: [0]
    case .q4_1, .q5_1, .q4K, .q5K: [0, 2]
    case .q6K: [208]
    }
  }

  /// What a tensor of this type runs as without decoding; nil for blocks.
  var weightType: WeightType? {
    switch self {
    case .f32: .f32
    case .f16: .f16
    case .bf16: .bf16
    default: nil
    }
  }
}
