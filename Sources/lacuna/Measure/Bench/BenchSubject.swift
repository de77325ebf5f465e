import LacunaEngine

/// The model under measurement, and long sessions over it, made when they are first needed.
final class BenchSubject {
  let engine: Engine
  /// The most positions that any measurement asks for.
  private let deepest: Int
  private var engines: [Engine.KVType: Engine]
  private var trunks: [Engine.KVType: Session] = [:]

  /// - Parameter deepest: cut to what the model's context holds.
  init(engine: Engine, deepest: Int) {
    self.engine = engine
    self.deepest = min(deepest, engine.contextLength)
    engines = [engine.info.kvType: engine]
  }

  /// The same model with keys and values of another type.
  func engine(_ kv: Engine.KVType) throws(LacunaError) -> Engine {
    if let known = engines[kv] { return known }
    var options = engine.options
    options.kvType = kv
    let other = try Engine(sharing: engine, options: options)
    engines[kv] = other
    return other
  }

  /// A session of `count` tokens, all but the last evaluated, whose pages no other session writes to.
  func session(_ count: Int, kv: Engine.KVType) throws(LacunaError) -> Session {
    let trunk: Session
    if let known = trunks[kv] {
      trunk = known
    } else {
      trunk = try engine(kv).makeSession()
      try trunk.appendSynthetic(deepest)
      trunks[kv] = trunk
    }
    let session = try trunk.fork()
    try session.rewind(to: count)
    return session
  }

  /// A number that is a token, the `index`-th of some text.
  func token(_ index: Int) -> TokenID { TokenID((index + 1) * 104_729 % engine.config.vocabSize) }

  // MARK: What a pass costs

  /// Bytes of weights that any pass reads, scales included.
  var weightBytes: Double {
    let matrices = engine.weights.matrices.dropFirst(engine.config.tieWordEmbeddings ? 0 : 1)
    return matrices.reduce(0) { $0 + Double($1.byteCount + $1.scaleByteCount) }
  }

  /// Multiplications and additions of one token's products, without the head's and without attention.
  var operationsPerToken: Double {
    let config = engine.config
    let (queries, keys) = (config.numAttentionHeads * config.headDim, config.numKeyValueHeads * config.headDim)
    let layer = config.hiddenSize * (2 * queries + 2 * keys + 3 * config.intermediateSize)
    return 2 * Double(layer * config.numHiddenLayers)
  }

  var operationsOfHead: Double { 2 * Double(engine.config.hiddenSize * engine.config.vocabSize) }

  /// Operations of attention for one token that sees `positions`.
  func operationsOfAttention(_ positions: Double) -> Double {
    let config = engine.config
    return 4 * Double(config.numAttentionHeads * config.headDim * config.numHiddenLayers) * positions
  }
}
