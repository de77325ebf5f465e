/// What a model expected of a token, beside the token's own score.
public struct TokenExpectation: Sendable, Equatable {
  public let score: TokenScore
  /// Of ln p over all tokens, each weighted by its p.
  public let mean: Double
  public let variance: Double
}

extension Session {
  /// Logits that are in memory at a time: rows of the vocabulary's width.
  private static let chunk = 32

  /// Appends `ids` and hands over, one after the other, the score of each and the logits that it was predicted by,
  /// [vocabSize], which are gone afterwards. The last token is left pending.
  /// - Throws: as `score(appending:)`.
  func append(
    _ ids: [TokenID], eachPredictedBy body: (TokenScore, UnsafeBufferPointer<Float>) -> Void
  ) throws(LacunaError) {
    guard count > 0 else {
      throw LacunaError(.invalidArgument, "an empty session cannot score: append a token first")
    }
    guard !ids.isEmpty else { return }
    let vocabulary = engine.config.vocabSize
    let memory = try AlignedBuffer(byteCount: min(ids.count, Self.chunk) * vocabulary * MemoryLayout<Float>.stride)
    for start in stride(from: 0, to: ids.count, by: Self.chunk) {
      let piece = ids[start..<min(start + Self.chunk, ids.count)]
      let first = count
      try append(piece)
      let request = scoreRequest(from: first)
      request.scoredLogits = memory.floats()
      try engine.runner.run([request])
      for index in 0..<piece.count {
        body(request.scores[index], UnsafeBufferPointer(start: memory.floats() + index * vocabulary, count: vocabulary))
      }
    }
    // Otherwise it could go with its last mention.
    withExtendedLifetime(memory) {}
  }
}

extension Scorer {
  /// The scored tokens of an answer with what the model expected in the place of each.
  public func expectations(
    prompt: String, answer: String
  ) throws(LacunaError) -> (tokens: [TokenID], expectations: [TokenExpectation]) {
    let sequence = try sequence(prompt: prompt, answer: answer)
    let tokens = Array(sequence.tokens[sequence.scoredFrom...])
    let session = try engine.makeSession()
    try session.append(sequence.tokens[..<sequence.scoredFrom])
    var expectations: [TokenExpectation] = []
    try session.append(tokens) { score, logits in
      let (mean, variance) = LogDistribution(logits).moments
      expectations.append(TokenExpectation(score: score, mean: mean, variance: variance))
    }
    return (tokens, expectations)
  }

  /// KL(reference || model) in nats after every token of prompt and answer, where "model" is the scorer's engine: how far its
  /// next-token distributions are from the reference's.
  ///
  /// Every real position counts once, those of the prompt included, and no padding: the last is the one behind the answer.
  /// - Throws: `unsupported` where the two models differ in their tokens.
  public func divergences(
    from reference: Engine, prompt: String, answer: String
  ) throws(LacunaError) -> [Double] {
    guard reference.config.vocabSize == engine.config.vocabSize,
      reference.tokenizer?.fingerprint == engine.tokenizer?.fingerprint
    else {
      throw LacunaError(
        .unsupported, "\(engine.info.name) and \(reference.info.name): expected one tokenizer, found two")
    }
    var tokens = try sequence(prompt: prompt, answer: answer).tokens
    // The position behind the last token needs some token to be predicted: which one does not matter.
    if !scoresEOS { tokens.append(0) }
    let (own, other) = (try engine.makeSession(), try reference.makeSession())
    try own.append(tokens[0])
    try other.append(tokens[0])
    var divergences: [Double] = []
    var rest = tokens.dropFirst()
    while !rest.isEmpty {
      let piece = Array(rest.prefix(Self.pairedRows))
      rest = rest.dropFirst(piece.count)
      var expected: [LogDistribution] = []
      try other.append(piece) { expected.append(LogDistribution($1)) }
      var index = 0
      try own.append(piece) { _, logits in
        divergences.append(expected[index].divergence(of: LogDistribution(logits)))
        index += 1
      }
    }
    return divergences
  }

  /// Rows of one model's distributions that are kept until the other's are there.
  private static let pairedRows = 16
}
