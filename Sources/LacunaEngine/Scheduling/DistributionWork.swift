/// What a model expects in the place of each scored token of an answer.
public final class ExpectationWork: Work {
  /// The scored ones.
  public let tokens: [TokenID]
  /// One for each token, once the work is done.
  public private(set) var expectations: [TokenExpectation] = []
  private let predictions: Predictions
  private var rest: ArraySlice<TokenID>

  /// - Parameter onProgress: as `Session.onProgress`.
  public init(
    _ scorer: Scorer, prompt: String, answer: String, onProgress: ((Int, Int) -> Bool)? = nil
  ) throws(LacunaError) {
    let sequence = try scorer.sequence(prompt: prompt, answer: answer)
    tokens = Array(sequence.tokens[sequence.scoredFrom...])
    rest = tokens[...]
    let session = try scorer.engine.makeSession()
    session.onProgress = onProgress
    try session.append(sequence.tokens[..<sequence.scoredFrom])
    predictions = try Predictions(session, greatestCount: min(32, max(tokens.count, 1)))
  }

  /// - Throws: what a pass failed with.
  public func advance() throws -> [PassRequest]? {
    while true {
      if let waiting = try predictions.waiting() { return [waiting] }
      predictions.take { score, logits in
        let (mean, variance) = LogDistribution(logits).moments
        expectations.append(TokenExpectation(score: score, mean: mean, variance: variance))
      }
      guard !rest.isEmpty else { return nil }
      try predictions.append(&rest)
    }
  }
}

/// How far a model's next-token distributions are from another's; see `Scorer.divergences`.
public final class DivergenceWork: Work {
  /// KL(reference || model) behind each token, once the work is done.
  public private(set) var divergences: [Double] = []
  private let own: Predictions
  private let reference: Predictions
  private var rest: ArraySlice<TokenID>

  /// - Parameter onProgress: as `Session.onProgress`, for each of the two models.
  public init(
    _ scorer: Scorer, from reference: Engine, prompt: String, answer: String, onProgress: ((Int, Int) -> Bool)? = nil
  ) throws(LacunaError) {
    let engine = scorer.engine
    guard reference.config.vocabSize == engine.config.vocabSize,
      reference.tokenizer?.fingerprint == engine.tokenizer?.fingerprint
    else {
      throw LacunaError(
        .unsupported, "\(engine.info.name) and \(reference.info.name): expected one tokenizer, found two")
    }
    var tokens = try scorer.sequence(prompt: prompt, answer: answer).tokens
    // The position behind the last token needs some token to be predicted: which one does not matter.
    if !scorer.scoresEOS { tokens.append(0) }
    rest = tokens.dropFirst()
    func predictions(_ engine: Engine) throws(LacunaError) -> Predictions {
      let session = try engine.makeSession()
      session.onProgress = onProgress
      try session.append(tokens[0])
      return try Predictions(session, greatestCount: 16)
    }
    own = try predictions(engine)
    self.reference = try predictions(reference)
  }

  /// - Throws: what a pass failed with.
  public func advance() throws -> [PassRequest]? {
    while true {
      let waiting = try [own.waiting(), reference.waiting()].compactMap(\.self)
      if !waiting.isEmpty { return waiting }
      var expected: [LogDistribution] = []
      reference.take { expected.append(LogDistribution($1)) }
      var index = 0
      own.take { _, logits in
        divergences.append(expected[index].divergence(of: LogDistribution(logits)))
        index += 1
      }
      guard !rest.isEmpty else { return nil }
      var same = rest
      try reference.append(&same)
      try own.append(&rest)
    }
  }
}

/// Tokens that are appended to a session, some at a time: the score of each, and the logits that it was predicted by.
private final class Predictions {
  private let session: Session
  private let greatestCount: Int
  private let memory: AlignedBuffer
  private var request: PassRequest?

  /// - Parameters:
  ///   - session: not empty.
  ///   - greatestCount: how many tokens' logits are in memory at a time.
  init(_ session: Session, greatestCount: Int) throws(LacunaError) {
    self.session = session
    self.greatestCount = greatestCount
    memory = try AlignedBuffer(
      byteCount: greatestCount * session.engine.config.vocabSize * MemoryLayout<Float>.stride)
  }

  /// Takes some tokens off `rest`; they are to be waited for. The last of them is left pending.
  func append(_ rest: inout ArraySlice<TokenID>) throws(LacunaError) {
    let first = session.count
    try session.append(rest.prefix(greatestCount))
    rest = rest.dropFirst(greatestCount)
    let request = session.scoreRequest(from: first)
    request.scoredLogits = memory.floats()
    self.request = request
  }

  /// What the appended tokens wait for; nil where they are predicted.
  /// - Throws: what that failed with.
  func waiting() throws(LacunaError) -> PassRequest? {
    guard let request else { return nil }
    return try [request].waiting()?.first
  }

  /// Hands over the appended tokens' scores and logits, which are gone afterwards.
  func take(_ body: (TokenScore, UnsafeBufferPointer<Float>) -> Void) {
    guard let request else { return }
    let width = session.engine.config.vocabSize
    for (index, score) in request.scores.enumerated() {
      body(score, UnsafeBufferPointer(start: memory.floats() + index * width, count: width))
    }
    self.request = nil
    // Otherwise it could go with its last mention.
    withExtendedLifetime(memory) {}
  }
}
