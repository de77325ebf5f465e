/// A directory as `transformers` saves a Llama: config.json, safetensors, and what comes with them.
///
/// Weights stay in their mapped files. Opening checks all of them against the configuration and the quantization
/// scheme; see `Placement`.
package final class HuggingFaceSource: CheckpointSource {
  package static let maximumConfigByteCount = 1 << 20

  package let path: String
  package let config: ModelConfig
  package let formatDescription: String
  package let chatTemplate: String?
  package let fingerprint: String
  package let warnings: [String]
  package let owners: [any Sendable]
  package let tensors: [StoredTensor]
  private let placed: [String: PlacedTensor]

  /// - Throws: `notFound`, `unreadable`, `malformed` or `unsupported`, naming file and field.
  package init(path: String) throws(LacunaError) {
    self.path = path
    let configPath = "\(path)/config.json"
    let configBytes = try readFile(configPath, limit: Self.maximumConfigByteCount)
    let fields = try JSONFields(configBytes, file: configPath)
    let generationPath = "\(path)/generation_config.json"
    let generation =
      fileExists(generationPath)
      ? try JSONFields(try readFile(generationPath, limit: Self.maximumConfigByteCount), file: generationPath) : nil
    config = try ModelConfig(config: fields, generation: generation)
    let scheme = try QuantizationScheme.parse(fields)
    chatTemplate = try ChatTemplateFile.read(directory: path)

    let shards = try ShardSet(directory: path)
    var placement = Placement(shards: shards, config: config, scheme: scheme)
    try placement.placeAll()
    for file in shards.files { try file.file.checkUnchanged() }
    placed = placement.placed
    tensors = placement.storedTensors
    owners = shards.files.map { $0 as any Sendable } + placement.owners
    warnings = (scheme?.warnings ?? []) + placement.warnings
    formatDescription = scheme?.description ?? Self.typeDescription(tensors)
    fingerprint = CheckpointFingerprint.make(config: configBytes, shards: shards)
  }

  package func matrix(_ name: String) -> WeightMatrix? {
    guard let tensor = placed[name], tensor.runsInPlace else { return nil }
    return tensor.matrix
  }

  package func readRows(_ name: String, _ rows: Range<Int>, into out: UnsafeMutablePointer<Float>) {
    guard let tensor = placed[name] else { preconditionFailure("no tensor \(name)") }
    tensor.matrix.decode(rows, into: out)
  }

  package func makeTokenizer() throws(LacunaError) -> (any Tokenizer)? {
    try TokenizerLoader.load(directory: path, config: config)
  }

  /// The type that most bytes have.
  private static func typeDescription(_ tensors: [StoredTensor]) -> String {
    let names = ["F32": "float32", "F16": "float16", "BF16": "bfloat16"]
    let byteCounts = tensors.reduce(into: [:]) { $0[$1.typeName, default: 0] += $1.byteCount }
    let most = byteCounts.max { ($0.value, $0.key) < ($1.value, $1.key) }?.key ?? ""
    return names[most] ?? most
  }
}
