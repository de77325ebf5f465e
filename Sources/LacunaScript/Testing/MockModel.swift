internal import LacunaEngine

/// A real engine whose logits are written by hand: what follows each token is a row of a table.
///
/// It is a Llama of one layer whose attention and MLP are zero, so that the residual stream is the embedding of the
/// last token, which is one-hot. The norm makes sqrt(hidden) of the one, and the head's column for the token, divided by
/// that, gives the row back. In float32 and with a hidden size of 4^n both are exact.
enum MockModel {
  static let mostPieces = 4096

  /// - Parameters:
  ///   - rows: [token][token] logits.
  ///   - context: tokens that a session may hold.
  static func engine(
    tokenizer: TableTokenizer, rows: [[Float]], context: Int, name: String, chatTemplate: String? = nil
  ) throws(LacunaError) -> Engine {
    let size = tokenizer.vocabularySize
    // Heads of 16: the kernels' smallest.
    var (hidden, root) = (64, 8)
    while hidden < size { (hidden, root) = (hidden * 4, root * 2) }
    let config = ModelConfig(
      vocabSize: size, hiddenSize: hidden, intermediateSize: 16, numHiddenLayers: 1, numAttentionHeads: hidden / 16,
      numKeyValueHeads: 1, headDim: 16, maxPositionEmbeddings: context, rmsNormEps: 1e-30, bosTokenID: 0,
      eosTokenIDs: [1])
    let matrices = try MatrixFactory()
    let ones = [Float](repeating: 1, count: hidden)
    func zeros(_ rows: Int, _ cols: Int) throws(LacunaError) -> LinearWeights {
      LinearWeights(weight: try matrices.make(rows, cols) { _, _ in 0 })
    }
    let layer = LayerWeights(
      inputNorm: ones, query: try zeros(hidden, hidden), key: try zeros(16, hidden), value: try zeros(16, hidden),
      output: try zeros(hidden, hidden), postAttentionNorm: ones, gate: try zeros(16, hidden),
      up: try zeros(16, hidden), down: try zeros(hidden, 16))
    let embedding = try matrices.make(size, hidden) { $0 == $1 ? 1 : 0 }
    let head = try matrices.make(size, hidden) { next, last in last < size ? rows[last][next] / Float(root) : 0 }
    var options = Engine.Options()
    options.precision = .f32
    options.threadCount = 1
    return try Engine(
      config: config,
      weights: ModelWeights(
        embedding: embedding, layers: [layer], norm: ones, head: LinearWeights(weight: head), owners: matrices.owners),
      tokenizer: tokenizer, chatTemplate: chatTemplate, name: name, stored: "a test's table",
      fingerprint: tokenizer.fingerprint, options: options)
  }

  private final class MatrixFactory {
    private(set) var owners: [any Sendable] = []

    init() throws(LacunaError) {}

    func make(_ rows: Int, _ cols: Int, _ value: (Int, Int) -> Float) throws(LacunaError) -> WeightMatrix {
      let buffer = SharedBuffer(try AlignedBuffer(byteCount: rows * cols * 4))
      owners.append(buffer)
      let floats = buffer.storage.floats()
      for row in 0..<rows {
        for col in 0..<cols { floats[row * cols + col] = value(row, col) }
      }
      return WeightMatrix(data: buffer.storage.base, rows: rows, cols: cols, type: .f32)
    }
  }
}

extension ScriptContext {
  /// t.model { vocab = { "a", "b" }, next = { a = { b = 2, ["</s>"] = 1 } }, floor = -20, context = 256, chat_template = ... }.
  func makeMockModel(_ options: OptionTable) throws -> ModelObject {
    guard let pieces = try options.strings("vocab"), !pieces.isEmpty, pieces.count <= MockModel.mostPieces,
      Set(pieces).count == pieces.count, !pieces.contains("")
    else {
      throw options.fault("vocab", "a list of 1 to \(MockModel.mostPieces) different pieces", options["vocab"])
    }
    let tokenizer = TableTokenizer(pieces)
    let floor = try options.number("floor") ?? -20
    var rows = [[Float]](
      repeating: [Float](repeating: Float(floor), count: tokenizer.vocabularySize), count: tokenizer.vocabularySize)
    for (key, value) in try options.table("next")?.fields ?? [] {
      guard case .string(let piece) = key, let last = tokenizer.pieces.firstIndex(of: piece) else {
        throw options.fault("next", "pieces of the vocabulary", key)
      }
      guard case .table(let row) = value, row.array.isEmpty else {
        throw options.fault("next", "{ piece = logit } for each piece", value)
      }
      for (key, value) in row.fields {
        guard case .string(let piece) = key, let next = tokenizer.pieces.firstIndex(of: piece), let logit = value.double
        else { throw options.fault("next", "{ piece = logit } with pieces of the vocabulary", key) }
        rows[last][next] = Float(logit)
      }
    }
    let engine = try MockModel.engine(
      tokenizer: tokenizer, rows: rows, context: try options.integer("context", in: 2...100_000) ?? 256,
      name: try options.string("name") ?? "mock", chatTemplate: try options.string("chat_template"))
    return model(engine)
  }
}
