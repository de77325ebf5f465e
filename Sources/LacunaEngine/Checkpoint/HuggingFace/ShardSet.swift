/// The safetensors files of a directory as one set of tensors: `model.safetensors`, or the shards of an index.
struct ShardSet: Sendable {
  struct Location: Sendable {
    let file: SafetensorsFile
    let tensor: SafetensorsTensor

    var bytes: UnsafeRawBufferPointer { file.bytes(of: tensor) }
  }

  static let maximumIndexByteCount = 16 << 20
  static let maximumShardCount = 1024

  /// By name of file.
  let files: [SafetensorsFile]
  let locations: [String: Location]

  /// In the order of files and bytes.
  var inOrder: [Location] {
    files.flatMap { file in file.tensors.map { Location(file: file, tensor: $0) } }
  }

  /// - Throws: `notFound` where there are neither weights nor an index; `malformed` or `unsupported`.
  init(directory: String) throws(LacunaError) {
    let single = "\(directory)/model.safetensors"
    let index = "\(directory)/model.safetensors.index.json"
    if !fileExists(single), fileExists(index) {
      try self.init(directory: directory, index: index)
    } else if fileExists(single) {
      try self.init(files: [try SafetensorsFile(path: single)])
    } else {
      let others = ["pytorch_model.bin", "pytorch_model.bin.index.json", "consolidated.00.pth"]
      let found = others.first { fileExists("\(directory)/\($0)") } ?? "neither"
      throw LacunaError(
        .notFound, file: directory, field: "weights", expected: "model.safetensors or model.safetensors.index.json",
        found: found)
    }
  }

  private init(files: [SafetensorsFile]) throws(LacunaError) {
    self.files = files
    locations = try Self.locate(files)
  }

  private init(directory: String, index: String) throws(LacunaError) {
    let map = try Self.readIndex(index)
    let names = Set(map.values).sorted()
    guard (1...Self.maximumShardCount).contains(names.count) else {
      throw LacunaError(
        .malformed, file: index, field: "weight_map", expected: "1 to \(Self.maximumShardCount) files",
        found: "\(names.count)")
    }
    var files: [SafetensorsFile] = []
    for name in names { files.append(try SafetensorsFile(path: "\(directory)/\(name)")) }
    try self.init(files: files)
    // The index and the shards must tell the same story, both ways.
    for (tensor, name) in map.sorted(by: { $0.key < $1.key })
    where locations[tensor]?.file.file.path != "\(directory)/\(name)" {
      throw LacunaError(
        .malformed, file: "\(directory)/\(name)", field: tensor.clipped, expected: "the tensor, as the index says",
        found: locations[tensor].map { "it in \($0.file.file.path)" } ?? "none")
    }
    for location in inOrder where map[location.tensor.name] == nil {
      throw LacunaError(
        .malformed, file: index, field: "weight_map", expected: "every tensor of \(location.file.file.path)",
        found: "no \"\(location.tensor.name.clipped)\"")
    }
  }

  private static func locate(_ files: [SafetensorsFile]) throws(LacunaError) -> [String: Location] {
    var locations: [String: Location] = [:]
    for file in files {
      for tensor in file.tensors {
        if let other = locations.updateValue(Location(file: file, tensor: tensor), forKey: tensor.name) {
          throw LacunaError(
            .malformed, file: file.file.path, field: tensor.name.clipped, expected: "a tensor of this file only",
            found: "it in \(other.file.file.path) too")
        }
      }
    }
    return locations
  }

  /// Tensor names and the plain names of the files that hold them.
  private static func readIndex(_ path: String) throws(LacunaError) -> [String: String] {
    let bytes = try readFile(path, limit: maximumIndexByteCount)
    var map: [String: String]?
    try JSONReader.read(bytes, file: path, maximumMembers: SafetensorsFile.maximumTensorCount) {
      (reader) throws(LacunaError) in
      try reader.readObject { (reader, name) throws(LacunaError) in
        guard name == "weight_map" else { return try reader.skipValue() }
        var entries: [String: String] = [:]
        try reader.readObject { (reader, tensor) throws(LacunaError) in
          let file = try reader.readString()
          guard isPlainName(file) else {
            throw LacunaError(
              .malformed, file: path, field: "weight_map.\(tensor.clipped)",
              expected: "the plain name of a .safetensors file",
              found: "\"\(file.clipped)\"")
          }
          entries[tensor] = file
        }
        map = entries
      }
    }
    guard let map else {
      throw LacunaError(.malformed, file: path, field: "weight_map", expected: "an object", found: "nothing")
    }
    return map
  }

  /// Files are found beside the index and nowhere else; a link may lead away, a path may not.
  private static func isPlainName(_ name: String) -> Bool {
    name.hasSuffix(".safetensors") && name.utf8.count <= 255 && !name.hasPrefix(".")
      && name.utf8.allSatisfy { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "\\") && $0 >= 0x20 && $0 != 0x7F }
  }
}
