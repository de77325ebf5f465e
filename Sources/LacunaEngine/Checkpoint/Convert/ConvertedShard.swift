/// One safetensors file to be: which tensors it holds and where their bytes lie.
struct ConvertedShard {
  /// A tensor of the source and what becomes of it.
  struct Item {
    let source: StoredTensor
    let isQuantized: Bool

    /// Bytes in the new file, scales included.
    var byteCount: Int {
      let values = source.rows * source.cols
      return isQuantized ? values + 4 * source.rows : 2 * values
    }
  }

  /// A tensor in the file. `byteOffset` counts from the file's beginning.
  struct Part {
    let name: String
    let type: String
    let shape: [Int]
    let byteOffset: Int
    let byteCount: Int
  }

  let fileName: String
  let items: [Item]
  let parts: [String: Part]
  /// Length, JSON and padding: what lies before the first tensor.
  let header: [UInt8]
  let byteCount: Int

  /// Lays the tensors out one after another, wider elements first, so that each is aligned to its element.
  init(fileName: String, items: [Item]) {
    self.fileName = fileName
    self.items = items
    var placed: [Part] = []
    var offset = 0
    func place(_ name: String, _ type: String, _ shape: [Int], _ byteCount: Int) {
      placed.append(Part(name: name, type: type, shape: shape, byteOffset: offset, byteCount: byteCount))
      offset += byteCount
    }
    for item in items where item.isQuantized {
      place(Self.scaleName(of: item.source.name), "F32", [item.source.rows, 1], 4 * item.source.rows)
    }
    for item in items where !item.isQuantized {
      place(item.source.name, "BF16", item.source.shape, item.byteCount)
    }
    for item in items where item.isQuantized {
      place(item.source.name, "F8_E4M3", item.source.shape, item.source.rows * item.source.cols)
    }
    let header = Self.header(placed)
    self.header = header
    byteCount = header.count + offset
    parts = Dictionary(
      uniqueKeysWithValues: placed.map { part in
        let moved = Part(
          name: part.name, type: part.type, shape: part.shape, byteOffset: header.count + part.byteOffset,
          byteCount: part.byteCount)
        return (part.name, moved)
      })
  }

  /// compressed-tensors' name of a weight's scales.
  static func scaleName(of weight: String) -> String { weight + "_scale" }

  /// The header, padded with spaces to a multiple of 64, the alignment that vector loads like.
  private static func header(_ parts: [Part]) -> [UInt8] {
    var members: [(String, JSONText)] = [("__metadata__", .object([("format", .string("pt"))]))]
    for part in parts {
      members.append(
        (
          part.name,
          .object([
            ("dtype", .string(part.type)), ("shape", .array(part.shape.map(JSONText.integer))),
            ("data_offsets", .array([.integer(part.byteOffset), .integer(part.byteOffset + part.byteCount)])),
          ])
        ))
    }
    var json = JSONText.object(members).compact()
    json += repeatElement(UInt8(ascii: " "), count: (64 - (8 + json.count) % 64) % 64)
    return withUnsafeBytes(of: UInt64(json.count).littleEndian) { Array($0) } + json
  }

  /// Distributes tensors, in their order, over files of at most `limit` bytes each; a larger tensor has its own.
  static func plan(_ items: [Item], limit: Int) -> [ConvertedShard] {
    var groups: [[Item]] = [[]]
    var size = 0
    for item in items {
      if size > 0, size + item.byteCount > limit {
        groups.append([])
        size = 0
      }
      groups[groups.count - 1].append(item)
      size += item.byteCount
    }
    guard groups.count > 1 else { return [ConvertedShard(fileName: "model.safetensors", items: items)] }
    return groups.enumerated().map { index, items in
      ConvertedShard(fileName: "model-\(padded(index + 1))-of-\(padded(groups.count)).safetensors", items: items)
    }
  }

  private static func padded(_ number: Int) -> String {
    let digits = "\(number)"
    return String(repeating: "0", count: max(0, 5 - digits.count)) + digits
  }
}
