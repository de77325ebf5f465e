import ArgumentParser
import LacunaEngine

/// Shapes to measure without a checkpoint: random FP8 projections with a scale a channel, bfloat16 embedding and head.
enum BenchShape: String, CaseIterable, ExpressibleByArgument {
  case llama27b = "llama-2-7b"
  case tiny

  var config: ModelConfig {
    switch self {
    case .llama27b: .llama2_7B
    case .tiny:
      ModelConfig(
        vocabSize: 4096, hiddenSize: 512, intermediateSize: 1376, numHiddenLayers: 8, numAttentionHeads: 8,
        numKeyValueHeads: 8, headDim: 64, maxPositionEmbeddings: 4096)
    }
  }

  /// - Parameter layers: nil for as many as the shape has.
  func makeEngine(layers: Int?, options: Engine.Options) throws(LacunaError) -> Engine {
    var config = self.config
    if let layers { config.numHiddenLayers = layers }
    let weights = try ModelWeights.random(config: config, type: .e4m3, seed: 7)
    return try Engine(config: config, weights: weights, name: rawValue, stored: "random FP8", options: options)
  }
}
