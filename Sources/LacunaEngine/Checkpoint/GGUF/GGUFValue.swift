/// A value of GGUF's metadata. Strings and arrays are ranges of the file and are decoded when they are asked for,
/// so that a header costs no more memory than its count of keys.
enum GGUFValue: Sendable {
  case unsigned(UInt64)
  case signed(Int64)
  case real(Double)
  case bool(Bool)
  /// The string's bytes, without their length.
  case string(Range<Int>)
  case array(GGUFArray)
}

/// An array whose elements have been walked and lie within the file.
struct GGUFArray: Sendable {
  let elementType: GGUFValueType
  let count: Int
  /// The elements as they are stored, strings with their lengths.
  let bytes: Range<Int>
}

/// The type numbers of GGUF's metadata values.
enum GGUFValueType: UInt32, Sendable {
  case uint8, int8, uint16, int16, uint32, int32, float32, bool, string, array, uint64, int64, float64

  /// The size of a value of fixed size; nil for strings and arrays.
  var byteCount: Int? {
    switch self {
    case .uint8, .int8, .bool: 1
    case .uint16, .int16: 2
    case .uint32, .int32, .float32: 4
    case .uint64, .int64, .float64: 8
    case .string, .array: nil
    }
  }

  /// The fewest bytes that a value of this type takes: a string has its length, an array its type and its count.
  var minimumByteCount: Int {
    switch self {
    case .string: 8
    case .array: 12
    default: byteCount ?? 1
    }
  }
}

/// A tensor's entry in the header, checked: it lies within the file and overlaps no other.
package struct GGUFTensor: Sendable {
  package let name: String
  /// In GGUF's order, fastest-running first: [cols] or [cols, rows].
  let dimensions: [Int]
  package let type: GGUFTensorType
  /// Position of the first byte in the file.
  package let byteOffset: Int
  package let byteCount: Int

  package var cols: Int { dimensions[0] }
  /// Rows of `cols` values each, all further dimensions together.
  package var rows: Int { dimensions.dropFirst().reduce(1, *) }
  var rowByteCount: Int { cols / type.blockLength * type.blockByteCount }
}
