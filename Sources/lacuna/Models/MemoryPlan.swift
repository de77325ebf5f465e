import LacunaEngine

/// The memory that a checkpoint will take, reckoned from its headers alone.
struct MemoryPlan {
  let weightBytes: Int
  let kvBytesPerToken: Int
  let contextLength: Int
  let scratchBytes: Int

  var kvBytesAtFullContext: Int { kvBytesPerToken * contextLength }

  init(source: any CheckpointSource, weights: WeightChoice, quantizesHead: Bool, kv: Engine.KVType) {
    let config = source.config
    weightBytes = source.tensors.reduce(0) {
      $0 + Self.bytes(of: $1, in: source, weights: weights, quantizesHead: quantizesHead)
    }
    let width = config.numKeyValueHeads * config.headDim
    // FP8 keeps a float32 scale for each head's key and value of a position.
    let perLayer =
      switch kv {
      case .f32: 2 * width * 4
      case .bf16: 2 * width * 2
      case .fp8: 2 * width + 2 * config.numKeyValueHeads * 4
      }
    kvBytesPerToken = config.numHiddenLayers * perLayer
    contextLength = config.maxPositionEmbeddings
    scratchBytes = Self.scratchBytes(config)
  }

  /// What one tensor takes as it runs; what cannot run as it is stored becomes bfloat16.
  private static func bytes(
    of tensor: StoredTensor, in source: any CheckpointSource, weights: WeightChoice, quantizesHead: Bool
  ) -> Int {
    let count = tensor.rows * tensor.cols
    // Norms and biases are float32 in memory.
    if tensor.shape.count < 2 { return 4 * count }
    let isHead = tensor.name == "lm_head.weight"
    let isProjection = !isHead && !tensor.name.contains("embed_tokens")
    return switch weights {
    case .stored: source.matrix(tensor.name).map { $0.byteCount + $0.scaleBytes } ?? 2 * count
    case .bf16: 2 * count
    case .fp8: isProjection || (isHead && quantizesHead) ? count + 4 * tensor.rows : 2 * count
    }
  }

  /// The activations of a pass of `rows` tokens and the logits of `heads` of them, in float32, and the packed copy in
  /// bfloat16; a pass is no longer than this.
  private static func scratchBytes(_ config: ModelConfig) -> Int {
    let rows = 512
    let heads = 64
    let query = config.numAttentionHeads * config.headDim
    let kv = config.numKeyValueHeads * config.headDim
    let widest = max(config.hiddenSize, config.intermediateSize, query)
    let floats = 3 * config.hiddenSize + 2 * query + 2 * kv + 2 * config.intermediateSize + config.headDim
    return rows * (4 * floats + 2 * widest) + heads * 4 * config.vocabSize
  }
}

extension WeightMatrix {
  /// Bytes of the scales beside the matrix.
  fileprivate var scaleBytes: Int {
    guard scales != nil, blockRows > 0, blockCols > 0 else { return 0 }
    return 4 * ((rows + blockRows - 1) / blockRows) * ((cols + blockCols - 1) / blockCols)
  }
}
