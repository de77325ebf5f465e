/// Assembles a model's weights from a source, converting what the choice of weights asks for.
struct WeightBuilder {
  private let source: any CheckpointSource
  private let choice: WeightChoice
  private let quantizesHead: Bool
  private let progress: (@Sendable (Double) -> Void)?
  private var owners: [any Sendable]
  private var doneElementCount = 0
  private let totalElementCount: Int

  init(
    source: any CheckpointSource, choice: WeightChoice, quantizesHead: Bool, progress: (@Sendable (Double) -> Void)?
  ) {
    self.source = source
    self.choice = choice
    self.quantizesHead = quantizesHead
    self.progress = progress
    owners = source.owners
    totalElementCount = source.config.llamaTensors.reduce(0) { $0 + $1.shape.reduce(1, *) }
  }

  mutating func build() throws(LacunaError) -> ModelWeights {
    let config = source.config
    let embedding = try matrix("model.embed_tokens.weight", config.vocabSize, config.hiddenSize, .kept)
    var layers: [LayerWeights] = []
    layers.reserveCapacity(config.numHiddenLayers)
    for index in 0..<config.numHiddenLayers { layers.append(try layer(index)) }
    let norm = vector("model.norm.weight", config.hiddenSize)
    let head = try head(embedding)
    return ModelWeights(
      embedding: embedding, layers: layers, norm: norm, head: LinearWeights(weight: head), owners: owners)
  }

  private mutating func layer(_ index: Int) throws(LacunaError) -> LayerWeights {
    let config = source.config
    let prefix = "model.layers.\(index)."
    let (hidden, inner) = (config.hiddenSize, config.intermediateSize)
    let (queries, keys) = (config.numAttentionHeads * config.headDim, config.numKeyValueHeads * config.headDim)
    return LayerWeights(
      inputNorm: vector("\(prefix)input_layernorm.weight", hidden),
      query: try linear("\(prefix)self_attn.q_proj", queries, hidden, hasBias: config.attentionBias),
      key: try linear("\(prefix)self_attn.k_proj", keys, hidden, hasBias: config.attentionBias),
      value: try linear("\(prefix)self_attn.v_proj", keys, hidden, hasBias: config.attentionBias),
      output: try linear("\(prefix)self_attn.o_proj", hidden, queries, hasBias: config.attentionBias),
      postAttentionNorm: vector("\(prefix)post_attention_layernorm.weight", hidden),
      gate: try linear("\(prefix)mlp.gate_proj", inner, hidden, hasBias: config.mlpBias),
      up: try linear("\(prefix)mlp.up_proj", inner, hidden, hasBias: config.mlpBias),
      down: try linear("\(prefix)mlp.down_proj", hidden, inner, hasBias: config.mlpBias))
  }

  private mutating func linear(
    _ module: String, _ rows: Int, _ cols: Int, hasBias: Bool
  ) throws(LacunaError) -> LinearWeights {
    let weight = try matrix("\(module).weight", rows, cols, .quantized)
    return LinearWeights(weight: weight, bias: hasBias ? vector("\(module).bias", rows) : nil)
  }

  private mutating func head(_ embedding: WeightMatrix) throws(LacunaError) -> WeightMatrix {
    let config = source.config
    let treatment: Treatment = quantizesHead ? .quantized : .kept
    guard config.tieWordEmbeddings else {
      return try matrix("lm_head.weight", config.vocabSize, config.hiddenSize, treatment)
    }
    // A tied head is the embedding, but for a head that is to be quantized: looking up tokens keeps its precision.
    guard choice == .fp8, quantizesHead else { return embedding }
    return try matrix("model.embed_tokens.weight", config.vocabSize, config.hiddenSize, .quantized)
  }

  private enum Treatment {
    /// Quantized where weights are to be FP8.
    case quantized
    /// At least bf16 in every choice.
    case kept
  }

  private mutating func matrix(
    _ name: String, _ rows: Int, _ cols: Int, _ treatment: Treatment
  ) throws(LacunaError) -> WeightMatrix {
    defer { report(rows * cols) }
    let stored = source.matrix(name)
    let conversion = WeightConversion(source: source)
    let converted: (WeightMatrix, SharedBuffer)
    switch (choice, stored?.type, treatment) {
    case (.stored, .some, _), (.bf16, .bf16, _), (.fp8, .e4m3, _), (_, .bf16, .kept):
      if let stored { return stored }
      converted = try conversion.plain(name, rows: rows, cols: cols, as: .bf16)
    case (.stored, nil, _):
      converted = try conversion.plain(name, rows: rows, cols: cols, as: source.plainType(name) ?? .bf16)
    case (.fp8, _, .quantized): converted = try conversion.e4m3(name, rows: rows, cols: cols)
    case (.fp8Tensor, _, .quantized): converted = try conversion.e4m3WithOneScale(name, rows: rows, cols: cols)
    default:
      if treatment == .quantized, let format = choice.rounding {
        converted = try conversion.rounded(name, rows: rows, cols: cols, to: format)
      } else {
        converted = try conversion.plain(name, rows: rows, cols: cols, as: .bf16)
      }
    }
    owners.append(converted.1)
    return converted.0
  }

  private func vector(_ name: String, _ count: Int) -> [Float] {
    [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
      if let out = buffer.baseAddress { source.readRows(name, 0..<1, into: out) }
      initialized = count
    }
  }

  private mutating func report(_ elementCount: Int) {
    doneElementCount += elementCount
    progress?(min(1, Double(doneElementCount) / Double(totalElementCount)))
  }
}
