/// Reads a GGUF header front to back. Every step is checked against the bytes that are left, and against the limits
/// below, before anything is made from it.
struct GGUFCursor {
  /// A string's largest size; the longest in real files are chat templates of some 10 KiB.
  static let stringLimit = 1 << 20
  /// Arrays of arrays are allowed, deeper ones are not.
  static let arrayDepthLimit = 2
  /// The largest header, tokenizer and tensor table together; a vocabulary of 250,000 tokens takes some 15 MiB.
  static let headerLimit = 256 << 20

  let bytes: UnsafeRawBufferPointer
  let file: String
  private(set) var offset = 0

  init(bytes: UnsafeRawBufferPointer, file: String) {
    self.bytes = bytes
    self.file = file
  }

  var remaining: Int { bytes.count - offset }

  /// Moves past `count` bytes and returns where they lie.
  mutating func take(_ count: Int, _ field: @autoclosure () -> String) throws(LacunaError) -> Range<Int> {
    guard count <= remaining else {
      throw LacunaError(
        .malformed, file: file, field: field(), expected: "\(count) bytes at offset \(offset)",
        found: "\(remaining) left in the file")
    }
    guard count <= Self.headerLimit - offset else {
      throw LacunaError(
        .malformed, file: file, field: field(), expected: "a header of at most \(Self.headerLimit >> 20) MiB",
        found: "one that goes on at offset \(offset)")
    }
    defer { offset += count }
    return offset..<(offset + count)
  }

  mutating func integer<T: FixedWidthInteger>(
    _ type: T.Type, _ field: @autoclosure () -> String
  ) throws(LacunaError) -> T {
    let range = try take(MemoryLayout<T>.size, field())
    return T(littleEndian: bytes.loadUnaligned(fromByteOffset: range.lowerBound, as: T.self))
  }

  /// A count or a size, which must fit an Int.
  mutating func count(_ field: @autoclosure () -> String) throws(LacunaError) -> Int {
    let value = try integer(UInt64.self, field())
    guard let count = Int(exactly: value) else {
      throw LacunaError(.malformed, file: file, field: field(), expected: "a count", found: "\(value)")
    }
    return count
  }

  /// A string's bytes, its length in front of them passed over.
  mutating func string(_ field: @autoclosure () -> String) throws(LacunaError) -> Range<Int> {
    let length = try integer(UInt64.self, field())
    guard length <= UInt64(Self.stringLimit) else {
      throw LacunaError(
        .malformed, file: file, field: field(), expected: "a string of at most \(Self.stringLimit) bytes",
        found: "\(length)")
    }
    return try take(Int(length), field())
  }

  /// A string that must be UTF-8 and not empty: a key or a tensor's name.
  mutating func name(_ field: @autoclosure () -> String) throws(LacunaError) -> String {
    let range = try string(field())
    guard !range.isEmpty, let text = String(validating: bytes[range], as: UTF8.self) else {
      throw LacunaError(
        .malformed, file: file, field: field(), expected: "a name in UTF-8",
        found: range.isEmpty ? "an empty string" : "other bytes")
    }
    return text
  }

  mutating func valueType(_ field: @autoclosure () -> String) throws(LacunaError) -> GGUFValueType {
    let number = try integer(UInt32.self, field())
    guard let type = GGUFValueType(rawValue: number) else {
      throw LacunaError(.malformed, file: file, field: field(), expected: "a value type of 0 to 12", found: "\(number)")
    }
    return type
  }

  mutating func value(_ type: GGUFValueType, _ field: @autoclosure () -> String) throws(LacunaError) -> GGUFValue {
    switch type {
    case .uint8: .unsigned(UInt64(try integer(UInt8.self, field())))
    case .uint16: .unsigned(UInt64(try integer(UInt16.self, field())))
    case .uint32: .unsigned(UInt64(try integer(UInt32.self, field())))
    case .uint64: .unsigned(try integer(UInt64.self, field()))
    case .int8: .signed(Int64(try integer(Int8.self, field())))
    case .int16: .signed(Int64(try integer(Int16.self, field())))
    case .int32: .signed(Int64(try integer(Int32.self, field())))
    case .int64: .signed(try integer(Int64.self, field()))
    case .float32: .real(Double(Float(bitPattern: try integer(UInt32.self, field()))))
    case .float64: .real(Double(bitPattern: try integer(UInt64.self, field())))
    case .bool: .bool(try boolean(field()))
    case .string: .string(try string(field()))
    case .array: .array(try array(field(), depth: 1))
    }
  }

  private mutating func boolean(_ field: @autoclosure () -> String) throws(LacunaError) -> Bool {
    let byte = try integer(UInt8.self, field())
    guard byte <= 1 else {
      throw LacunaError(.malformed, file: file, field: field(), expected: "a bool of 0 or 1", found: "\(byte)")
    }
    return byte == 1
  }

  private mutating func array(_ field: @autoclosure () -> String, depth: Int) throws(LacunaError) -> GGUFArray {
    guard depth <= Self.arrayDepthLimit else {
      throw LacunaError(
        .malformed, file: file, field: field(), expected: "arrays at most \(Self.arrayDepthLimit) deep",
        found: "deeper ones")
    }
    let type = try valueType(field())
    let count = try count(field())
    guard count <= remaining / type.minimumByteCount else {
      throw LacunaError(
        .malformed, file: file, field: field(),
        expected: "an array of at most \(remaining / type.minimumByteCount) elements, for which bytes are left",
        found: "\(count)")
    }
    let start = offset
    switch type {
    case .string: for index in 0..<count { _ = try string("\(field())[\(index)]") }
    case .array: for index in 0..<count { _ = try array("\(field())[\(index)]", depth: depth + 1) }
    // The product cannot overflow: count has been held against the bytes that are left.
    default: _ = try take(count * type.minimumByteCount, field())
    }
    return GGUFArray(elementType: type, count: count, bytes: start..<offset)
  }
}
