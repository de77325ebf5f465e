import Crypto

/// A GGUF file of the Llama architecture as a checkpoint: Hugging Face's names, and rows in Hugging Face's order.
///
/// llama.cpp stores the rows of q and k so that the two halves which RoPE rotates together alternate; `readRows`
/// undoes that.
package struct GGUFSource: CheckpointSource {
  package let path: String
  package let config: ModelConfig
  package let formatDescription: String
  package let chatTemplate: String?
  package let fingerprint: String
  package let tensors: [StoredTensor]
  package var warnings: [String] { [] }
  let file: GGUFFile
  private let entries: [String: Entry]

  /// A tensor and what its rows need.
  struct Entry: Sendable {
    let tensor: GGUFTensor
    let encoding: GGUFTensorType.Encoding
    /// The size of the heads whose rows are interleaved; nil where rows are in order.
    let permutedHeadDim: Int?
  }

  /// Reads the header and validates everything: tensors against the configuration, scales and vectors for NaN.
  ///
  /// - Throws: `notFound`, `unreadable`, `malformed`, `unsupported`.
  package static func open(_ path: String) throws(LacunaError) -> GGUFSource {
    try GGUFSource(try GGUFFile.open(path))
  }

  package init(_ file: GGUFFile) throws(LacunaError) {
    self.file = file
    path = file.path
    try GGUFConfig.architecture(file)
    let named = try Self.namedTensors(file)
    config = try Self.config(file, named)
    entries = try Self.entries(file, named, config)
    try Self.scan(file, entries)
    let entries = self.entries
    tensors = named.compactMap { name, tensor in
      entries[name].map { _ in
        StoredTensor(
          name: name, shape: tensor.dimensions.reversed(), typeName: tensor.type.name, byteCount: tensor.byteCount)
      }
    }
    formatDescription = Self.describe(file)
    let template = try file.string("tokenizer.chat_template")
    chatTemplate = template?.isEmpty == true ? nil : template
    fingerprint = Self.digest(file)
  }

  package var owners: [any Sendable] { [file.owner] }

  package func matrix(_ name: String) -> WeightMatrix? {
    let entry = entry(name)
    guard let type = entry.encoding.weightType, entry.permutedHeadDim == nil, entry.tensor.dimensions.count == 2 else {
      return nil
    }
    let data = address(of: entry)
    // An alignment of 1 is legal in the format, and no kernel reads floats at odd addresses.
    guard Int(bitPattern: data) % type.byteCount == 0 else { return nil }
    return WeightMatrix(data: data, rows: entry.tensor.rows, cols: entry.tensor.cols, type: type)
  }

  package func plainType(_ name: String) -> WeightType? { entry(name).encoding.weightType }

  package func readRows(_ name: String, _ rows: Range<Int>, into out: UnsafeMutablePointer<Float>) {
    let entry = entry(name)
    precondition(rows.lowerBound >= 0 && rows.upperBound <= entry.tensor.rows, "rows \(rows) outside \(name)")
    let data = address(of: entry)
    let cols = entry.tensor.cols
    guard let headDim = entry.permutedHeadDim else {
      let start = data + rows.lowerBound * entry.tensor.rowByteCount
      GGUFBlocks.decode(entry.encoding, from: start, count: rows.count * cols, into: out)
      return
    }
    if entry.tensor.dimensions.count == 1 {
      withUnsafeTemporaryAllocation(of: Float.self, capacity: cols) { stored in
        guard let base = stored.baseAddress, !rows.isEmpty else { return }
        GGUFBlocks.decode(entry.encoding, from: data, count: cols, into: base)
        for index in 0..<cols { out[index] = stored[Self.storedRow(index, headDim: headDim)] }
      }
      return
    }
    for (index, row) in rows.enumerated() {
      let stored = data + Self.storedRow(row, headDim: headDim) * entry.tensor.rowByteCount
      GGUFBlocks.decode(entry.encoding, from: stored, count: cols, into: out + index * cols)
    }
  }

  package func makeTokenizer() throws(LacunaError) -> (any Tokenizer)? {
    try GGUFTokenizer.make(file, vocabularySize: config.vocabSize)
  }

  /// Where llama.cpp put a row of q or k: within a head, row i of the first half at 2i, of the second at 2i + 1.
  package static func storedRow(_ row: Int, headDim: Int) -> Int {
    let inHead = row % headDim
    let half = headDim / 2
    return row - inHead + (inHead < half ? 2 * inHead : 2 * (inHead - half) + 1)
  }

  private func entry(_ name: String) -> Entry {
    guard let entry = entries[name] else { preconditionFailure("\(path) has no tensor \(name)") }
    return entry
  }

  private func address(of entry: Entry) -> UnsafeRawPointer {
    guard let base = file.bytes.baseAddress else { preconditionFailure("\(path) is empty") }
    return base + entry.tensor.byteOffset
  }

  /// "GGUF Q4_1" after the type that holds most bytes.
  static func describe(_ file: GGUFFile) -> String {
    var bytes: [String: Int] = [:]
    for tensor in file.tensors { bytes[tensor.type.name, default: 0] += tensor.byteCount }
    let most = bytes.max { ($0.value, $1.key) < ($1.value, $0.key) }
    return "GGUF \(most?.key ?? "without tensors")"
  }

  /// SHA-256, in hex, over the header and the first and last 4 KiB of every tensor.
  private static func digest(_ file: GGUFFile) -> String {
    var hash = SHA256()
    hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: file.bytes[..<min(file.dataOffset, file.bytes.count)]))
    for tensor in file.tensors {
      let bytes = UnsafeRawBufferPointer(rebasing: file.bytes[tensor.byteOffset..<tensor.byteOffset + tensor.byteCount])
      hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: bytes.prefix(4096)))
      hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: bytes.suffix(4096)))
    }
    return hash.finalize().hexadecimal
  }
}
