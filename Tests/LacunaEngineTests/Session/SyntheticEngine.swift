import LacunaEngine

/// Small engines with seeded random weights.
enum Synthetic {
  /// Grouped heads and sizes that are no multiple of a vector.
  static let odd = ModelConfig(
    vocabSize: 203, hiddenSize: 72, intermediateSize: 200, numHiddenLayers: 2, numAttentionHeads: 6,
    numKeyValueHeads: 2, headDim: 24, maxPositionEmbeddings: 1024)

  static func engine(
    _ config: ModelConfig = odd, type: WeightType = .bf16, threads: Int = 2, kv: Engine.KVType? = nil,
    precision: Engine.Precision = .fast
  ) throws -> Engine {
    var options = Engine.Options()
    options.threadCount = threads
    options.kvType = kv
    options.precision = precision
    return try Engine(
      config: config, weights: try ModelWeights.random(config: config, type: type, seed: 7),
      fingerprint: "synthetic", options: options)
  }

  static func tokens(_ count: Int, vocab: Int = odd.vocabSize, seed: UInt64 = 1) -> [TokenID] {
    var random = SeededRandom(seed: seed)
    return (0..<count).map { _ in TokenID(random.integer(in: 0...Int64(vocab - 1))) }
  }
}

extension Session {
  /// Appends and returns the bits of the logits after the last token.
  func bits(after tokens: some Collection<TokenID>) throws -> [UInt32] {
    try append(tokens)
    return try logits().map(\.bitPattern)
  }
}
