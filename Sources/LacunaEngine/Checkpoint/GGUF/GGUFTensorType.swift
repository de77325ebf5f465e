/// GGUF's tensor types by number. `encoding` is nil for those that are known by name and size only.
package struct GGUFTensorType: Hashable, Sendable {
  package let name: String
  /// Values in a block, 1 for the plain types.
  let blockLength: Int
  /// Bytes of a block.
  package let blockByteCount: Int
  /// How a block is decoded; nil for a type that cannot be run.
  package let encoding: Encoding?

  package enum Encoding: Hashable, Sendable {
    case f32, f16, bf16
    // The format's own names.
    // swift-format-ignore: AlwaysUseLowerCamelCase
    case q8_0, q4_0, q4_1, q5_0, q5_1
    case q4K, q5K, q6K
  }

  private init(_ name: String, _ blockLength: Int, _ blockByteCount: Int, _ encoding: Encoding? = nil) {
    self.name = name
    self.blockLength = blockLength
    self.blockByteCount = blockByteCount
    self.encoding = encoding
  }

  /// The type with this number; nil for numbers that the format never gave or has withdrawn.
  package init?(number: UInt32) {
    guard let known = Self.known[number] else { return nil }
    self = known
  }

  // The types without an encoding are here with their sizes so that a file which uses one is checked like any
  // other and refused by the type's name.
  private static let known: [UInt32: GGUFTensorType] = [
    0: .init("F32", 1, 4, .f32),
    1: .init("F16", 1, 2, .f16),
    2: .init("Q4_0", 32, 18, .q4_0),
    3: .init("Q4_1", 32, 20, .q4_1),
    6: .init("Q5_0", 32, 22, .q5_0),
    7: .init("Q5_1", 32, 24, .q5_1),
    8: .init("Q8_0", 32, 34, .q8_0),
    9: .init("Q8_1", 32, 40),
    10: .init("Q2_K", 256, 84),
    11: .init("Q3_K", 256, 110),
    12: .init("Q4_K", 256, 144, .q4K),
    13: .init("Q5_K", 256, 176, .q5K),
    14: .init("Q6_K", 256, 210, .q6K),
    15: .init("Q8_K", 256, 292),
    16: .init("IQ2_XXS", 256, 66),
    17: .init("IQ2_XS", 256, 74),
    18: .init("IQ3_XXS", 256, 98),
    19: .init("IQ1_S", 256, 50),
    20: .init("IQ4_NL", 32, 18),
    21: .init("IQ3_S", 256, 110),
    22: .init("IQ2_S", 256, 82),
    23: .init("IQ4_XS", 256, 136),
    24: .init("I8", 1, 1),
    25: .init("I16", 1, 2),
    26: .init("I32", 1, 4),
    27: .init("I64", 1, 8),
    28: .init("F64", 1, 8),
    29: .init("IQ1_M", 256, 56),
    30: .init("BF16", 1, 2, .bf16),
    34: .init("TQ1_0", 256, 54),
    35: .init("TQ2_0", 256, 66),
    39: .init("MXFP4", 32, 17),
  ]
}
