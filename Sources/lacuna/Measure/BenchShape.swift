import ArgumentParser
import LacunaEngine

/// Shapes to measure without a checkpoint: random FP8 projections with a scale a channel, bfloat16 embedding and head.
enum BenchShape: String, CaseIterable, ExpressibleByArgument {
  case llama27b = "llama-2-7b"
  case tiny

  private var config: ModelConfig {
    switch self {
    case .llama27b:
      ModelConfig(
        vocabSize: 32_000, hiddenSize: 4096, intermediateSize: 11_008, numHiddenLayers: 32, numAttentionHeads: 32,
        numKeyValueHeads: 32, headDim: 128, maxPositionEmbeddings: 4096)
    case .tiny:
      ModelConfig(
        vocabSize: 4096, hiddenSize: 512, intermediateSize: 1376, numHiddenLayers: 8, numAttentionHeads: 8,
        numKeyValueHeads: 8, headDim: 64, maxPositionEmbeddings: 4096)
    }
  }

  func makeEngine(options: Engine.Options) throws(LacunaError) -> Engine {
    let config = self.config
    let memory = try RandomWeights(config: config)
    let progress = ProgressLine("filling \(rawValue) with random weights")
    defer { progress.finish() }
    let query = config.numAttentionHeads * config.headDim
    let kv = config.numKeyValueHeads * config.headDim
    let hidden = config.hiddenSize
    let inner = config.intermediateSize
    let ones = [Float](repeating: 1, count: hidden)
    var layers: [LayerWeights] = []
    for index in 0..<config.numHiddenLayers {
      layers.append(
        LayerWeights(
          inputNorm: ones, query: memory.e4m3(query, hidden), key: memory.e4m3(kv, hidden),
          value: memory.e4m3(kv, hidden), output: memory.e4m3(hidden, query), postAttentionNorm: ones,
          gate: memory.e4m3(inner, hidden), up: memory.e4m3(inner, hidden), down: memory.e4m3(hidden, inner)))
      progress.update(Double(index + 1) / Double(config.numHiddenLayers))
    }
    let weights = ModelWeights(
      embedding: memory.bf16(config.vocabSize, hidden), layers: layers, norm: ones,
      head: LinearWeights(weight: memory.bf16(config.vocabSize, hidden)), owners: [memory])
    return try Engine(config: config, weights: weights, name: rawValue, stored: "random FP8", options: options)
  }
}

/// One block of memory that random matrices are cut from.
private final class RandomWeights: @unchecked Sendable {
  // SAFETY: written by one thread while the engine is made, only read afterwards.
  private let memory: AlignedBuffer
  private var used = 0
  private var state: UInt64 = 0x9E37_79B9_7F4A_7C15

  init(config: ModelConfig) throws(LacunaError) {
    let hidden = config.hiddenSize
    let query = config.numAttentionHeads * config.headDim
    let kv = config.numKeyValueHeads * config.headDim
    let inner = config.intermediateSize
    let values = 2 * hidden * query + 2 * hidden * kv + 3 * hidden * inner
    let rows = query + 2 * kv + 2 * hidden + 2 * inner
    let layer = values + 4 * rows + 14 * 64
    memory = try AlignedBuffer(
      byteCount: config.numHiddenLayers * layer + 2 * (2 * config.vocabSize * hidden + 64))
  }

  private func take(_ byteCount: Int) -> UnsafeMutableRawPointer {
    let start = used
    used = (used + byteCount + 63) / 64 * 64
    precondition(used <= memory.byteCount, "random weights of \(memory.byteCount) bytes are used up")
    return memory.base + start
  }

  private func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state
  }

  func e4m3(_ rows: Int, _ cols: Int) -> LinearWeights {
    let data = take(rows * cols)
    for offset in stride(from: 0, to: rows * cols, by: 8) {
      // Any sign and mantissa, exponents of 2^-1 and 2^0: eight values of 0.5 up to 1.875.
      let bits = next() & 0x8F8F_8F8F_8F8F_8F8F | 0x3030_3030_3030_3030
      (data + offset).storeBytes(of: bits, as: UInt64.self)
    }
    let scales = take(4 * rows).bindMemory(to: Float.self, capacity: rows)
    // Keeps the variance of what goes through about 1.
    scales.initialize(repeating: 0.9 / Float(cols).squareRoot(), count: rows)
    return LinearWeights(
      weight: WeightMatrix(
        data: data, scales: scales, rows: rows, cols: cols, blockRows: 1, blockCols: cols, type: .e4m3))
  }

  func bf16(_ rows: Int, _ cols: Int) -> WeightMatrix {
    let data = take(2 * rows * cols)
    for offset in stride(from: 0, to: 2 * rows * cols, by: 8) {
      // Any sign and mantissa, exponent of 2^-6.
      let bits = next() & 0x807F_807F_807F_807F | 0x3C80_3C80_3C80_3C80
      (data + offset).storeBytes(of: bits, as: UInt64.self)
    }
    return WeightMatrix(data: data, rows: rows, cols: cols, type: .bf16)
  }
}
