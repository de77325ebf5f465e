internal import LacunaEngine

/// A real engine whose logits are written by hand: what follows each token is a row of a table.
///
/// It is a Llama of one layer whose attention and MLP are zero, so that the residual stream is the embedding of the
/// last token, which is one-hot. The norm makes sqrt(hidden) of the one, and the head's column for the token, divided by
/// that, gives the row back. In float32 and with a hidden size of 4^n both are exact.
///
/// With rows for an early exit the MLP moves the one from place t to place t + vocabulary: the head has columns for both.
enum MockModel {
  static let mostPieces = 4096

  /// - Parameters:
  ///   - rows: [token][token] logits.
  ///   - early: the same behind layer 0, for a lens; nil: as in the end.
  ///   - context: tokens that a session may hold.
  static func engine(
    tokenizer: TableTokenizer, rows: [[Float]], early: [[Float]]?, context: Int, name: String,
    chatTemplate: String? = nil
  ) throws(LacunaError) -> Engine {
    let size = tokenizer.vocabularySize
    // Heads of 16: the kernels' smallest.
    var (hidden, root) = (64, 8)
    while hidden < (early == nil ? size : 2 * size) { (hidden, root) = (hidden * 4, root * 2) }
    let inner = early == nil ? 16 : (size + 15) / 16 * 16
    let config = ModelConfig(
      vocabSize: size, hiddenSize: hidden, intermediateSize: inner, numHiddenLayers: 1, numAttentionHeads: hidden / 16,
      numKeyValueHeads: 1, headDim: 16, maxPositionEmbeddings: context, rmsNormEps: 1e-30, bosTokenID: 0,
      eosTokenIDs: [1])
    let matrices = try MatrixFactory()
    let ones = [Float](repeating: 1, count: hidden)
    func linear(
      _ rows: Int, _ cols: Int, _ value: (Int, Int) -> Float = { _, _ in 0 }
    ) throws(LacunaError) -> LinearWeights {
      LinearWeights(weight: try matrices.make(rows, cols, value))
    }
    let moves = early != nil
    let layer = LayerWeights(
      inputNorm: ones, query: try linear(hidden, hidden), key: try linear(16, hidden), value: try linear(16, hidden),
      output: try linear(hidden, hidden), postAttentionNorm: ones,
      // silu(64) is 64: the sigmoid is exactly one there. 64 * root * (1 / (64 * root)) moves the one.
      gate: try linear(inner, hidden) { moves && $0 == $1 ? 64 / Float(root) : 0 },
      up: try linear(inner, hidden) { moves && $0 == $1 ? 1 : 0 },
      down: try linear(hidden, inner) { out, token in
        guard moves, token < size, out == token || out == token + size else { return 0 }
        return (out == token ? -1 : 1) / Float(64 * root)
      })
    let embedding = try matrices.make(size, hidden) { $0 == $1 ? 1 : 0 }
    let head = try matrices.make(size, hidden) { next, place in
      let isMoved = moves && place >= size
      let last = isMoved ? place - size : place
      return last < size ? (isMoved ? rows : early ?? rows)[last][next] / Float(root) : 0
    }
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
  /// t.model { vocab = { "a", "b" }, next = { a = { b = 2, ["</s>"] = 1 } }, early = { a = { b = 1 } }, floor = -20,
  /// context = 256, chat_template = ... }.
  func makeMockModel(_ options: OptionTable) throws -> ModelObject {
    guard let pieces = try options.strings("vocab"), !pieces.isEmpty, pieces.count <= MockModel.mostPieces,
      Set(pieces).count == pieces.count, !pieces.contains("")
    else {
      throw options.fault("vocab", "a list of 1 to \(MockModel.mostPieces) different pieces", options["vocab"])
    }
    let tokenizer = TableTokenizer(pieces)
    let rows = try rows(options, "next", tokenizer) ?? []
    let engine = try MockModel.engine(
      tokenizer: tokenizer, rows: rows, early: try self.rows(options, "early", tokenizer),
      context: try options.integer("context", in: 2...100_000) ?? 256, name: try options.string("name") ?? "mock",
      chatTemplate: try options.string("chat_template"))
    return model(engine)
  }

  /// { piece = { piece = logit } }; nil for an optional table that is not there.
  private func rows(_ options: OptionTable, _ name: String, _ tokenizer: TableTokenizer) throws -> [[Float]]? {
    if name != "next", !options.has(name) { return nil }
    let floor = try options.number("floor") ?? -20
    // A masked token is none of a model's: sums over the vocabulary would be no numbers.
    guard Float(floor).isFinite else { throw options.fault("floor", "a finite logit", .number(floor)) }
    var rows = [[Float]](
      repeating: [Float](repeating: Float(floor), count: tokenizer.vocabularySize), count: tokenizer.vocabularySize)
    for (key, value) in try options.table(name)?.fields ?? [] {
      guard case .string(let piece) = key, let last = tokenizer.pieces.firstIndex(of: piece) else {
        throw options.fault(name, "pieces of the vocabulary", key)
      }
      guard case .table(let row) = value, row.array.isEmpty else {
        throw options.fault(name, "{ piece = logit } for each piece", value)
      }
      for (key, value) in row.fields {
        guard case .string(let piece) = key, let next = tokenizer.pieces.firstIndex(of: piece), let logit = value.double
        else { throw options.fault(name, "{ piece = logit } with pieces of the vocabulary", key) }
        guard Float(logit).isFinite else {
          throw options.fault(name, "a finite logit for \"\(piece)\" behind \"\(tokenizer.pieces[last])\"", value)
        }
        rows[last][next] = Float(logit)
      }
    }
    return rows
  }
}
