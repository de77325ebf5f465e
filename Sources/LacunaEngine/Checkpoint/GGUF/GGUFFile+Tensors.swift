extension GGUFFile {
  /// A tensor's entry as the header has it, before its place in the file is known.
  struct TensorEntry {
    let name: String
    let dimensions: [Int]
    let type: GGUFTensorType
    let relativeOffset: UInt64
    let byteCount: Int
  }

  static func readTensorEntries(
    _ cursor: inout GGUFCursor, count: Int
  ) throws(LacunaError) -> [TensorEntry] {
    var entries: [TensorEntry] = []
    entries.reserveCapacity(count)
    var names: Set<String> = []
    for index in 0..<count {
      let name = try cursor.name("tensor \(index): name")
      guard names.insert(name).inserted else {
        throw LacunaError(.malformed, file: cursor.file, field: name, expected: "each tensor once", found: "it twice")
      }
      let rank = try cursor.integer(UInt32.self, "\(name): dimensions")
      guard (1...4).contains(rank) else {
        throw LacunaError(.malformed, file: cursor.file, field: name, expected: "1 to 4 dimensions", found: "\(rank)")
      }
      var dimensions: [Int] = []
      for _ in 0..<rank { dimensions.append(try cursor.count("\(name): dimensions")) }
      let number = try cursor.integer(UInt32.self, "\(name): type")
      guard let type = GGUFTensorType(number: number) else {
        throw LacunaError(
          .malformed, file: cursor.file, field: "\(name): type", expected: "a tensor type of GGUF", found: "\(number)")
      }
      let offset = try cursor.integer(UInt64.self, "\(name): offset")
      let byteCount = try byteCount(of: dimensions, type, name, cursor.file)
      entries.append(
        TensorEntry(name: name, dimensions: dimensions, type: type, relativeOffset: offset, byteCount: byteCount))
    }
    return entries
  }

  private static func byteCount(
    of dimensions: [Int], _ type: GGUFTensorType, _ name: String, _ path: String
  ) throws(LacunaError) -> Int {
    var values = 1
    var overflow = false
    for dimension in dimensions {
      guard dimension > 0 else {
        throw LacunaError(.malformed, file: path, field: name, expected: "dimensions above 0", found: "\(dimensions)")
      }
      let (product, overflows) = values.multipliedReportingOverflow(by: dimension)
      values = product
      overflow = overflow || overflows
    }
    let (bytes, overflows) = (values / type.blockLength).multipliedReportingOverflow(by: type.blockByteCount)
    guard !overflow, !overflows else {
      throw LacunaError(
        .malformed, file: path, field: name, expected: "dimensions whose product is a size", found: "\(dimensions)")
    }
    guard dimensions[0] % type.blockLength == 0 else {
      throw LacunaError(
        .malformed, file: path, field: name, expected: "rows of whole \(type.name) blocks of \(type.blockLength)",
        found: "rows of \(dimensions[0])")
    }
    return bytes
  }

  /// Holds every tensor's place against the file's size, the alignment and its neighbours.
  static func place(
    _ entries: [TensorEntry], dataOffset: Int, alignment: Int, fileSize: Int, _ path: String
  ) throws(LacunaError) -> [GGUFTensor] {
    var tensors: [GGUFTensor] = []
    tensors.reserveCapacity(entries.count)
    for entry in entries {
      let room = fileSize - dataOffset
      guard let relative = Int(exactly: entry.relativeOffset), relative <= room, entry.byteCount <= room - relative
      else {
        throw LacunaError(
          .malformed, file: path, field: "\(entry.name): offset",
          expected: "\(entry.byteCount) bytes within the \(max(room, 0)) after the header",
          found: "them at \(entry.relativeOffset)")
      }
      guard relative % alignment == 0 else {
        throw LacunaError(
          .malformed, file: path, field: "\(entry.name): offset", expected: "a multiple of \(alignment)",
          found: "\(relative)")
      }
      tensors.append(
        GGUFTensor(
          name: entry.name, dimensions: entry.dimensions, type: entry.type, byteOffset: dataOffset + relative,
          byteCount: entry.byteCount))
    }
    let sorted = tensors.sorted { $0.byteOffset < $1.byteOffset }
    for (before, after) in zip(sorted, sorted.dropFirst())
    where before.byteOffset + before.byteCount > after.byteOffset {
      throw LacunaError(
        .malformed, file: path, field: "\(after.name): offset", expected: "bytes of its own",
        found: "bytes shared with \(before.name)")
    }
    return tensors
  }
}
