#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Guesses with a smaller model of the same vocabulary (Leviathan et al. 2023; Chen et al. 2023).
///
/// It draws from its own logits with the chain, seed, stream and positions that the text is drawn with. As the selector
/// maps one uniform number to a token by the order of ids, two similar distributions mostly give the same token: guesses
/// come true far more often than if the two models drew apart.
final class DraftModel {
  private let session: Session
  private let scratch: LogitsBuffer
  /// Follows the text's chain, with memory of its own.
  private var shadow: SamplerChain?
  /// Behind by more than this it is reading a prompt, which says nothing of what a guess takes.
  private static let usualLag = 16

  struct Draft {
    var guesses: [TokenID] = []
    /// What guessing took with `passCount` passes, and what reading a prompt of `readCount` tokens before it did, whose pass
    /// brings the first guess's logits.
    var seconds = 0.0
    var passCount = 0
    var readCount = 0
    var readSeconds = 0.0
  }

  /// - Throws: `invalidArgument` where the vocabularies differ.
  init(engine: Engine, target: Engine) throws(LacunaError) {
    guard engine.config.vocabSize == target.config.vocabSize,
      engine.tokenizer?.fingerprint == target.tokenizer?.fingerprint
    else {
      throw LacunaError(
        .invalidArgument,
        "draft model \(engine.info.name): expected the vocabulary of \(target.info.name), found another")
    }
    session = try engine.makeSession()
    scratch = try LogitsBuffer(count: engine.config.vocabSize)
  }

  /// Tokens of a prompt that would have to be read before the first guess after `tokens`.
  func readingCount(_ tokens: [TokenID]) -> Int { readingCount(tokens, shared: sharedCount(tokens)) }

  private func readingCount(_ tokens: [TokenID], shared: Int) -> Int {
    let lag = tokens.count - min(shared, session.tokens.count - session.pendingCount)
    return lag > Self.usualLag ? lag : 0
  }

  private func sharedCount(_ tokens: [TokenID]) -> Int {
    let own = session.tokens, most = min(own.count, tokens.count)
    var count = 0
    while count < most, own[count] == tokens[count] { count += 1 }
    return count
  }

  /// - Parameters:
  ///   - limit: guesses at most.
  ///   - isWorthwhile: asked before each guess is added, with the chance that it and all before it come true.
  /// - Throws: as a forward pass, and as the chain's native stages.
  func draft(
    after tokens: [TokenID], limit: Int, _ draw: Speculation.Draw, isWorthwhile: (Double, Int) -> Bool
  ) throws -> Draft {
    var draft = Draft()
    // The last guess is never evaluated, and each needs the logits before it.
    let limit = min(limit, session.engine.contextLength - tokens.count)
    guard limit > 0 else { return draft }
    let shared = sharedCount(tokens)
    draft.readCount = readingCount(tokens, shared: shared)
    try session.rewind(to: shared)
    try session.append(tokens[shared...])
    if draft.readCount > 0 {
      let start = ContinuousClock.now
      _ = try session.borrowedLogits()
      draft.readSeconds = (ContinuousClock.now - start).seconds
    }

    if shadow == nil { shadow = SamplerChain(shadowing: draw.chain) } else { shadow?.shadow(draw.chain) }
    let isGreedy = draw.chain.selectorName == Greedy.schema.name
    let kernels = session.engine.model.kernels
    var text = tokens
    var chance = 1.0
    let start = ContinuousClock.now
    while draft.guesses.count < limit {
      if !session.hasLogits { draft.passCount += 1 }
      let logits = try session.borrowedLogits()
      scratch.copy(logits)
      let token = try text.withUnsafeBufferPointer { tokens in
        try shadow?.sample(scratch.values, draw.context(tokens)) ?? 0
      }
      if session.engine.isEndOfGeneration(token) { break }
      // Of a draw the model's own probability says little about whether another model would draw the same.
      if isGreedy {
        chance *= exp(Double(logits[Int(token)] - kernels.logSumExp(logits)))
        guard isWorthwhile(chance, draft.guesses.count) else { break }
      }
      draft.guesses.append(token)
      text.append(token)
      try shadow?.accept(token)
      try session.append(token)
    }
    draft.seconds = (ContinuousClock.now - start).seconds
    return draft
  }

  /// Lets a long prompt be cancelled.
  var onProgress: ((Int, Int) -> Bool)? {
    get { session.onProgress }
    set { session.onProgress = newValue }
  }
}
