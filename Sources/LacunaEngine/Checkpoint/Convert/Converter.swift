/// Writes a checkpoint as a Hugging Face directory: bfloat16, or FP8 as compressed-tensors stores it.
///
/// Values: what `--weights` makes of the same source, so that a converted checkpoint runs as the original does.
/// Memory: a few megabytes of rows at a time and one scale a row, whatever the model's size. The directory appears
/// under its name when every byte is on disk; a run that fails, is cancelled or killed leaves nothing there.
package enum Converter {
  package enum Target: String, Sendable, CaseIterable {
    case bf16
    /// Projections as E4M3 with one float32 scale an output channel; the rest bfloat16.
    case fp8
  }

  package struct Summary: Sendable {
    package let path: String
    package let byteCount: Int
    package let fileNames: [String]
  }

  /// Where shards are cut: what the Hub's own tools use.
  package static let defaultShardLimit = 5_000_000_000

  /// - Parameters:
  ///   - directory: must not exist.
  ///   - quantizesHead: with `.fp8`, whether lm_head is quantized too; a tied head stays with the embedding.
  ///   - progress: called with 0...1.
  ///   - isCancelled: asked every few megabytes.
  /// - Throws: `invalidArgument` if the destination exists, `resource` for a full disk, `malformed` for values that
  ///   are not finite, `cancelled`.
  @discardableResult
  package static func convert(
    source: any CheckpointSource, to directory: String, type: Target, quantizesHead: Bool = false,
    shardLimit: Int = defaultShardLimit, progress: (@Sendable (Double) -> Void)? = nil,
    isCancelled: (@Sendable () -> Bool)? = nil
  ) throws(LacunaError) -> Summary {
    let staged = try StagedDirectory(destination: directory)
    let items = source.tensors.map { tensor in
      ConvertedShard.Item(
        source: tensor, isQuantized: type == .fp8 && isQuantized(tensor, quantizesHead: quantizesHead))
    }
    let shards = ConvertedShard.plan(items, limit: shardLimit)
    let byteCount = shards.reduce(0) { $0 + $1.byteCount }
    if let free = staged.freeByteCount, free < byteCount {
      throw LacunaError(
        .resource, "\(directory): the disk is full: the weights need \(byteCount) bytes, \(free) are free")
    }

    var fileNames = try writeSmallFiles(
      of: source, into: staged, type: type,
      quantizesHead: items.contains { $0.isQuantized && $0.source.name == headName })
    if shards.count > 1 {
      let index = "model.safetensors.index.json"
      try OutputFile.write(self.index(of: shards, byteCount: byteCount).rendered(), to: staged.file(index))
      fileNames.append(index)
    }
    var pace = ConversionPace(total: byteCount, progress: progress, isCancelled: isCancelled)
    for shard in shards {
      try write(shard, of: source, to: staged.file(shard.fileName), &pace)
      fileNames.append(shard.fileName)
    }
    try pace.advance(by: 0)
    try staged.commit()
    progress?(1)
    return Summary(path: staged.destination, byteCount: byteCount, fileNames: fileNames)
  }

  static let headName = "lm_head.weight"

  private static func isQuantized(_ tensor: StoredTensor, quantizesHead: Bool) -> Bool {
    guard tensor.shape.count == 2 else { return false }
    return tensor.name.hasSuffix("_proj.weight") || (quantizesHead && tensor.name == headName)
  }

  private static func index(of shards: [ConvertedShard], byteCount: Int) -> JSONText {
    let names = shards.flatMap { shard in shard.parts.keys.map { ($0, JSONText.string(shard.fileName)) } }
    let tensorBytes = shards.reduce(0) { $0 + $1.byteCount - $1.header.count }
    return .object([
      ("metadata", .object([("total_size", .integer(tensorBytes))])),
      ("weight_map", .object(names.sorted { $0.0 < $1.0 })),
    ])
  }

  private static func write(
    _ shard: ConvertedShard, of source: any CheckpointSource, to path: String, _ pace: inout ConversionPace
  ) throws(LacunaError) {
    let file = try OutputFile(creating: path)
    try file.write(shard.header, at: 0)
    for item in shard.items {
      guard let part = shard.parts[item.source.name] else { preconditionFailure("\(item.source.name) has no place") }
      if item.isQuantized {
        guard let scales = shard.parts[ConvertedShard.scaleName(of: item.source.name)] else {
          preconditionFailure("\(item.source.name) has no scales")
        }
        try writeQuantized(item.source, of: source, to: file, at: part, scales: scales, &pace)
      } else {
        try writeBFloat16(item.source, of: source, to: file, at: part, &pace)
      }
    }
    try file.synchronize()
  }
}

/// Progress by bytes written, and the question whether to go on.
struct ConversionPace {
  private var done = 0
  private let total: Int
  private let progress: (@Sendable (Double) -> Void)?
  private let isCancelled: (@Sendable () -> Bool)?

  init(total: Int, progress: (@Sendable (Double) -> Void)?, isCancelled: (@Sendable () -> Bool)?) {
    self.total = max(total, 1)
    self.progress = progress
    self.isCancelled = isCancelled
  }

  mutating func advance(by byteCount: Int) throws(LacunaError) {
    if isCancelled?() == true { throw LacunaError(.cancelled, "the conversion was cancelled; nothing was left behind") }
    done += byteCount
    progress?(min(1, Double(done) / Double(total)))
  }
}
