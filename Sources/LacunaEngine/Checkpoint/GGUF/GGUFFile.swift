/// A GGUF file of version 2 or 3, little endian: metadata and tensors by name, every length, count, type and offset
/// checked against the file's real size.
///
/// Format: ggml's docs/gguf.md. What the keys and tensors mean is `GGUFSource`'s business.
package struct GGUFFile: @unchecked Sendable {
  // SAFETY: the bytes are read-only, and `owner` keeps them mapped.
  let bytes: UnsafeRawBufferPointer
  let owner: any Sendable
  let path: String
  let version: UInt32
  let metadata: [String: GGUFValue]
  /// In the order of the header.
  package let tensors: [GGUFTensor]
  /// Where the tensors' bytes begin; all before it is the header.
  package let dataOffset: Int

  static let magic: [UInt8] = Array("GGUF".utf8)
  /// Far above real files (some 50 keys, 3 to 13 tensors a layer), far below what exhausts memory.
  static let keyLimit = 1 << 16
  static let tensorLimit = 1 << 17
  static let alignmentLimit = 1 << 16

  /// - Throws: `notFound`, `unreadable`, `malformed`, `unsupported` for other versions.
  static func open(_ path: String) throws(LacunaError) -> GGUFFile {
    let file = try MappedFile(path: path)
    return try GGUFFile(file.bytes, owner: file, path: path)
  }

  /// - Parameter owner: what keeps `bytes` alive.
  package init(_ bytes: UnsafeRawBufferPointer, owner: any Sendable, path: String) throws(LacunaError) {
    self.bytes = bytes
    self.owner = owner
    self.path = path

    var cursor = GGUFCursor(bytes: bytes, file: path)
    let magic = try cursor.take(4, "magic")
    guard bytes[magic].elementsEqual(Self.magic) else {
      throw LacunaError(
        .malformed, file: path, field: "magic", expected: "GGUF",
        found: bytes[magic].map { "\($0)" }.joined(separator: " "))
    }
    version = try cursor.integer(UInt32.self, "version")
    guard version == 2 || version == 3 else {
      let isBigEndian = (1...3).contains(version.byteSwapped)
      throw LacunaError(
        .unsupported, file: path, field: "version", expected: "2 or 3, little endian",
        found: isBigEndian ? "\(version.byteSwapped), big endian" : "\(version)")
    }
    let tensorCount = try cursor.count("tensor count")
    let keyCount = try cursor.count("key count")
    // A key takes a length, one byte, a type and a value of one byte; a tensor a length, one byte, a count, one
    // dimension, a type and an offset.
    try Self.check(keyCount, "key count", entryByteCount: 14, limit: Self.keyLimit, cursor)
    try Self.check(tensorCount, "tensor count", entryByteCount: 33, limit: Self.tensorLimit, cursor)

    metadata = try Self.readMetadata(&cursor, count: keyCount)
    let alignment = try Self.alignment(metadata["general.alignment"], path)
    let entries = try Self.readTensorEntries(&cursor, count: tensorCount)
    // Both terms are far from overflow: the header is limited, and so is the alignment.
    dataOffset = (cursor.offset + alignment - 1) / alignment * alignment
    tensors = try Self.place(entries, dataOffset: dataOffset, alignment: alignment, fileSize: bytes.count, path)
  }

  private static func check(
    _ count: Int, _ field: String, entryByteCount: Int, limit: Int, _ cursor: GGUFCursor
  ) throws(LacunaError) {
    let most = min(cursor.remaining / entryByteCount, limit)
    guard count <= most else {
      throw LacunaError(
        .malformed, file: cursor.file, field: field, expected: "at most \(most) in a file of this size",
        found: "\(count)")
    }
  }

  private static func readMetadata(
    _ cursor: inout GGUFCursor, count: Int
  ) throws(LacunaError) -> [String: GGUFValue] {
    var metadata: [String: GGUFValue] = [:]
    for index in 0..<count {
      let key = try cursor.name("key \(index)")
      let type = try cursor.valueType(key)
      guard metadata.updateValue(try cursor.value(type, key), forKey: key) == nil else {
        throw LacunaError(.malformed, file: cursor.file, field: key, expected: "each key once", found: "it twice")
      }
    }
    return metadata
  }

  private static func alignment(_ value: GGUFValue?, _ path: String) throws(LacunaError) -> Int {
    guard let value else { return 32 }
    guard case .unsigned(let number) = value, (1...UInt64(alignmentLimit)).contains(number),
      number & (number - 1) == 0
    else {
      throw LacunaError(
        .malformed, file: path, field: "general.alignment",
        expected: "a power of two of at most \(alignmentLimit)", found: value.shown)
    }
    return Int(number)
  }
}

extension GGUFValue {
  /// The value for a message; never long.
  var shown: String {
    switch self {
    case .unsigned(let value): "\(value)"
    case .signed(let value): "\(value)"
    case .real(let value): "\(value)"
    case .bool(let value): "\(value)"
    case .string: "a string"
    case .array(let array): "an array of \(array.count)"
    }
  }
}
