/// A mapped safetensors file whose header has been checked in full.
///
/// As strict as the reference implementation and stricter: the tensors must cover the data without gap or overlap,
/// names must be distinct, sizes must agree with shape and type, and members that the format does not know are refused.
package final class SafetensorsFile: Sendable {
  package static let maximumHeaderByteCount = 100_000_000
  package static let maximumRank = 8
  /// Far beyond any Llama checkpoint; together with the limit on names it bounds what a header can make us allocate.
  package static let maximumTensorCount = 65_536
  package static let maximumNameByteCount = 512

  package let file: MappedFile
  /// In the order of their bytes.
  package let tensors: [SafetensorsTensor]
  /// The length field and the header: the file's first bytes.
  package let headerByteCount: Int

  /// - Throws: `malformed` or `unsupported`, naming file and tensor, and what `MappedFile` throws.
  package init(path: String) throws(LacunaError) {
    file = try MappedFile(path: path)
    headerByteCount = try Self.headerByteCount(of: file)
    let dataByteCount = file.byteCount - headerByteCount
    var header = HeaderParser(file: path, dataStart: headerByteCount, dataByteCount: dataByteCount)
    try header.parse(UnsafeRawBufferPointer(rebasing: file.bytes[8..<headerByteCount]))
    tensors = try header.contiguousTensors()
  }

  package func bytes(of tensor: SafetensorsTensor) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: file.base + tensor.byteOffset, count: tensor.byteCount)
  }

  private static func headerByteCount(of file: MappedFile) throws(LacunaError) -> Int {
    guard file.byteCount >= 8 else {
      throw LacunaError(
        .malformed, file: file.path, field: "size", expected: "at least 8 bytes", found: "\(file.byteCount)")
    }
    let length = UInt64(littleEndian: file.base.loadUnaligned(as: UInt64.self))
    let most = min(maximumHeaderByteCount, file.byteCount - 8)
    guard let length = Int(exactly: length), length >= 2, length <= most else {
      throw LacunaError(
        .malformed, file: file.path, field: "header length",
        expected: most == maximumHeaderByteCount ? "2 to \(most)" : "2 to \(most) in a file of \(file.byteCount) bytes",
        found: "\(length)")
    }
    guard file.bytes[8] == UInt8(ascii: "{") else {
      throw LacunaError(
        .malformed, file: file.path, field: "header", expected: "'{' at byte 8",
        found: "byte 0x" + String(file.bytes[8], radix: 16))
    }
    return 8 + length
  }
}

/// The header's JSON, from bytes to tensors.
private struct HeaderParser {
  let file: String
  let dataStart: Int
  let dataByteCount: Int
  private var tensors: [SafetensorsTensor] = []

  init(file: String, dataStart: Int, dataByteCount: Int) {
    self.file = file
    self.dataStart = dataStart
    self.dataByteCount = dataByteCount
  }

  mutating func parse(_ bytes: UnsafeRawBufferPointer) throws(LacunaError) {
    var reader = JSONReader(bytes, file: file, maximumMembers: SafetensorsFile.maximumTensorCount)
    try reader.readObject { (reader, name) throws(LacunaError) in
      if name == "__metadata__" {
        try reader.readObject { (reader, _) throws(LacunaError) in _ = try reader.readString() }
      } else {
        guard name.utf8.count <= SafetensorsFile.maximumNameByteCount else {
          throw reader.failure(
            "expected a tensor name of at most \(SafetensorsFile.maximumNameByteCount) bytes, found \(name.utf8.count)")
        }
        try readTensor(&reader, name)
      }
    }
    try reader.finish()
  }

  private mutating func readTensor(_ reader: inout JSONReader, _ name: String) throws(LacunaError) {
    var typeName: String?
    var shape: [Int]?
    var offsets: [Int]?
    try reader.readObject { (reader, field) throws(LacunaError) in
      switch field {
      case "dtype": typeName = try reader.readString()
      case "shape": shape = try readIntegers(&reader, limit: SafetensorsFile.maximumRank, name, field)
      case "data_offsets": offsets = try readIntegers(&reader, limit: 2, name, field)
      default: throw refusal(name, "dtype, shape and data_offsets", "\"\(field.clipped)\"")
      }
    }
    guard let typeName, let shape, let offsets else {
      throw refusal(name, "dtype, shape and data_offsets", "one of them missing")
    }
    guard let type = SafetensorsType(rawValue: typeName) else {
      throw LacunaError(
        .unsupported, file: file, field: "\(name.clipped).dtype",
        expected: SafetensorsType.allCases.map(\.rawValue).joined(separator: ", "), found: typeName.clipped)
    }
    var byteCount = type.byteCount
    for size in shape {
      let (product, overflow) = byteCount.multipliedReportingOverflow(by: size)
      guard !overflow else { throw refusal("\(name).shape", "a size that the file can hold", "\(shape)") }
      byteCount = product
    }
    guard offsets.count == 2, offsets[0] <= offsets[1], offsets[1] <= dataByteCount else {
      throw refusal("\(name).data_offsets", "two rising offsets within \(dataByteCount) bytes", "\(offsets)")
    }
    guard offsets[1] - offsets[0] == byteCount else {
      throw refusal("\(name).data_offsets", "\(byteCount) bytes for \(typeName) \(shape)", "\(offsets[1] - offsets[0])")
    }
    tensors.append(
      SafetensorsTensor(
        name: name, type: type, shape: shape, byteOffset: dataStart + offsets[0], byteCount: byteCount))
  }

  private func readIntegers(
    _ reader: inout JSONReader, limit: Int, _ name: String, _ field: String
  ) throws(LacunaError) -> [Int] {
    var values: [Int] = []
    try reader.readArray { (reader) throws(LacunaError) in
      let value = try reader.readInteger()
      guard value >= 0 else { throw refusal("\(name).\(field)", "numbers from 0 up", "\(value)") }
      guard values.count < limit else { throw refusal("\(name).\(field)", "at most \(limit) numbers", "more") }
      values.append(value)
    }
    return values
  }

  /// The tensors in the order of their bytes, which must follow one another to the end of the file.
  consuming func contiguousTensors() throws(LacunaError) -> [SafetensorsTensor] {
    let sorted = tensors.sorted { ($0.byteOffset, $0.byteCount) < ($1.byteOffset, $1.byteCount) }
    var end = dataStart
    for tensor in sorted {
      guard tensor.byteOffset == end else {
        throw refusal(
          "\(tensor.name).data_offsets", "a start of \(end - dataStart), where the tensor before it ends",
          "\(tensor.byteOffset - dataStart)")
      }
      end += tensor.byteCount
    }
    guard end == dataStart + dataByteCount else {
      throw refusal("data", "\(end - dataStart) bytes, as the header says", "\(dataByteCount)")
    }
    return sorted
  }

  private func refusal(_ field: String, _ expected: String, _ found: String) -> LacunaError {
    LacunaError(.malformed, file: file, field: field.clipped, expected: expected, found: found)
  }
}
