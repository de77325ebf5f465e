import LacunaEngine

/// The memory that a checkpoint will take, reckoned from its headers alone.
struct MemoryPlan {
  let weightBytes: Int
  let kvBytesPerToken: Int
  let contextLength: Int
  let scratchBytes: Int

  var kvBytesAtFullContext: Int { kvBytesPerToken * contextLength }

  init(source: any CheckpointSource, weights: WeightChoice, quantizesHead: Bool, kv: Engine.KVType) {
    var bytes = 0
    var types: Set<WeightType> = []
    for tensor in source.tensors {
      let count = tensor.rows * tensor.cols
      guard tensor.shape.count > 1 else {
        // Norms and biases are float32 in memory.
        bytes += 4 * count
        continue
      }
      let stored = source.matrix(tensor.name)
      let type = Self.type(
        of: tensor, stored: stored?.type, plain: source.plainType(tensor.name), weights: weights,
        quantizesHead: quantizesHead)
      let scaleBytes = stored?.type == type ? stored?.scaleByteCount ?? 0 : type == .e4m3 ? 4 * tensor.rows : 0
      bytes += count * type.byteCount + scaleBytes
      if Self.isEmbedding(tensor), source.config.tieWordEmbeddings, weights == .fp8, quantizesHead {
        // The tied head in FP8 lies beside the embedding, which keeps its precision.
        bytes += count + 4 * tensor.rows
        types.insert(.e4m3)
      }
      if !Self.isEmbedding(tensor) || source.config.tieWordEmbeddings { types.insert(type) }
    }
    weightBytes = bytes
    let memory = EngineMemory(config: source.config, types: types, kv: kv)
    kvBytesPerToken = memory.kvBytesPerToken
    scratchBytes = memory.scratchBytes
    contextLength = source.config.contextLength
  }

  /// What a matrix runs as; blocks, and codes whose scales the kernels cannot follow, become bfloat16.
  private static func type(
    of tensor: StoredTensor, stored: WeightType?, plain: WeightType?, weights: WeightChoice, quantizesHead: Bool
  ) -> WeightType {
    let isHead = tensor.name == "lm_head.weight"
    return switch weights {
    case .stored: stored ?? plain ?? .bf16
    case .bf16, .e5m2, .int8, .int4: .bf16
    case .fp8Tensor: isHead || isEmbedding(tensor) ? .bf16 : .e4m3
    case .fp8: (isHead ? quantizesHead : !isEmbedding(tensor)) ? .e4m3 : .bf16
    }
  }

  private static func isEmbedding(_ tensor: StoredTensor) -> Bool { tensor.name.contains("embed_tokens") }
}
