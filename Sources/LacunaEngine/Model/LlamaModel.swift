/// The weights of a Llama model as the forward pass walks them, and the sizes that it needs.
final class LlamaModel: @unchecked Sendable {
  // SAFETY: immutable after `init`; the pointers lead into `weights`, `table` and `vectors`, which live as long.
  struct Projection {
    let matrix: KernelMatrix
    let type: WeightType
    let bias: UnsafePointer<Float>?
  }

  struct Layer {
    let inputNorm: UnsafePointer<Float>
    let query, key, value, output: Projection
    let postAttentionNorm: UnsafePointer<Float>
    let gate, up, down: Projection
  }

  let config: ModelConfig
  let kernels: Kernels
  let precision: Engine.Precision
  let layout: KVLayout
  let rope: RoPE

  let embedding: KernelMatrix
  let layers: [Layer]
  let norm: UnsafePointer<Float>
  let head: Projection

  /// The types of weight that a hidden row may be packed for, in the order of their packed copies.
  let hiddenTypes: [WeightType]

  let weights: ModelWeights
  private let table: KernelMatrixTable
  private let vectors: FloatVectors

  init(config: ModelConfig, weights: ModelWeights, precision: Engine.Precision, kvType: Engine.KVType) {
    self.config = config
    self.weights = weights
    self.precision = precision
    kernels = .best
    layout = KVLayout(kvHeads: config.numKeyValueHeads, headDim: config.headDim, type: kvType)
    rope = RoPE(config: config)

    let table = KernelMatrixTable(capacity: weights.layers.count * 7 + 2)
    let vectors = FloatVectors()
    func projection(_ linear: LinearWeights) -> Projection {
      Projection(
        matrix: table.add(linear.weight), type: linear.weight.type, bias: linear.bias.map { vectors.add($0) })
    }
    embedding = table.add(weights.embedding)
    layers = weights.layers.map { layer in
      Layer(
        inputNorm: vectors.add(layer.inputNorm), query: projection(layer.query), key: projection(layer.key),
        value: projection(layer.value), output: projection(layer.output),
        postAttentionNorm: vectors.add(layer.postAttentionNorm), gate: projection(layer.gate),
        up: projection(layer.up), down: projection(layer.down))
    }
    norm = vectors.add(weights.norm)
    head = projection(weights.head)
    self.table = table
    self.vectors = vectors

    var types: [WeightType] = []
    for layer in layers {
      for projection in [layer.query, layer.key, layer.value, layer.output, layer.gate, layer.up, layer.down]
      where !types.contains(projection.type) { types.append(projection.type) }
    }
    if !types.contains(head.type) { types.append(head.type) }
    hiddenTypes = types
  }

  /// Query heads that share one key-value head.
  var group: Int { config.numAttentionHeads / config.numKeyValueHeads }
  var queryWidth: Int { config.numAttentionHeads * config.headDim }
  var kvWidth: Int { config.numKeyValueHeads * config.headDim }
  /// Bytes of a page: `KVLayout.pagePositions` positions in every layer.
  var pageBytes: Int { layout.layerBytes * config.numHiddenLayers }
}

/// Float vectors at stable addresses.
private final class FloatVectors {
  private var all: [UnsafeMutableBufferPointer<Float>] = []

  func add(_ values: [Float]) -> UnsafePointer<Float> {
    let copy = UnsafeMutableBufferPointer<Float>.allocate(capacity: max(values.count, 1))
    _ = copy.initialize(from: values)
    all.append(copy)
    return UnsafePointer(copy.baseAddress!)
  }

  deinit { for vector in all { vector.deallocate() } }
}
