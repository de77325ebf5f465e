/// The element types that a safetensors header may name and that have whole bytes.
package enum SafetensorsType: String, Sendable, CaseIterable {
  case f64 = "F64"
  case f32 = "F32"
  case f16 = "F16"
  case bf16 = "BF16"
  case e4m3 = "F8_E4M3"
  case e5m2 = "F8_E5M2"
  case i64 = "I64"
  case i32 = "I32"
  case i16 = "I16"
  case i8 = "I8"
  case u64 = "U64"
  case u32 = "U32"
  case u16 = "U16"
  case u8 = "U8"
  case bool = "BOOL"

  package var byteCount: Int {
    switch self {
    case .f64, .i64, .u64: 8
    case .f32, .i32, .u32: 4
    case .f16, .bf16, .i16, .u16: 2
    case .e4m3, .e5m2, .i8, .u8, .bool: 1
    }
  }

  /// The type that a matrix of these elements runs in; nil for types that weights do not have.
  package var weightType: WeightType? {
    switch self {
    case .f32: .f32
    case .f16: .f16
    case .bf16: .bf16
    case .e4m3: .e4m3
    default: nil
    }
  }
}

/// A tensor as the header describes it: checked against the file's size.
package struct SafetensorsTensor: Sendable {
  package let name: String
  package let type: SafetensorsType
  package let shape: [Int]
  /// From the start of the file.
  package let byteOffset: Int
  package let byteCount: Int

  package var elementCount: Int { byteCount / type.byteCount }
}
