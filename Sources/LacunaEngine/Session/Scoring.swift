/// How probable a model finds an answer.
public struct AnswerScore: Sendable, Equatable {
  /// The scored tokens: the answer's, and EOS if it was asked for.
  public let tokens: [TokenID]
  public let scores: [TokenScore]

  public init(tokens: [TokenID], scores: [TokenScore]) {
    self.tokens = tokens
    self.scores = scores
  }

  /// Of natural logarithms of probabilities.
  public var sum: Double { scores.reduce(0) { $0 + Double($1.logProbability) } }
  public var count: Int { scores.count }
  /// 0 if nothing was scored.
  public var mean: Double { scores.isEmpty ? 0 : sum / Double(scores.count) }
  /// Whether greedy decoding would give just these tokens.
  public var isGreedy: Bool { scores.allSatisfy(\.isGreedy) }
}

/// Teacher-forced scores of answers to a prompt.
public struct Scorer {
  public enum Boundary: String, Sendable, CaseIterable {
    /// Prompt and answer are encoded as one text; the answer's tokens are those behind as many as the prompt has when
    /// it is encoded alone. A piece that spans the border counts as the prompt's. This is how TOFU scores (Maini et
    /// al. 2024).
    case joint
    /// Both are encoded apart and joined.
    case split
  }

  public let engine: Engine
  private let tokenizer: any Tokenizer
  public var boundary = Boundary.joint
  /// Whether EOS is scored behind each answer.
  public var scoresEOS = false
  public var addsBOS = true
  /// As `Session.onProgress`, for each group of sequences that is evaluated together.
  public var onProgress: ((Int, Int) -> Bool)?

  /// - Throws: `unsupported` for a model without a tokenizer.
  public init(engine: Engine) throws(LacunaError) {
    guard let tokenizer = engine.tokenizer else {
      throw LacunaError(.unsupported, "\(engine.info.name): scoring text needs a tokenizer, and the model ships none")
    }
    self.engine = engine
    self.tokenizer = tokenizer
  }

  /// One score an answer. The tokens that all of them begin with are evaluated once.
  public func score(prompt: String, answers: [String]) throws(LacunaError) -> [AnswerScore] {
    var sequences: [Sequence] = []
    for answer in answers { sequences.append(try sequence(prompt: prompt, answer: answer)) }
    return try score(sequences)
  }

  /// Tokens of prompt and answer together, and where the scored ones begin.
  public struct Sequence: Sendable, Equatable {
    public var tokens: [TokenID]
    public var scoredFrom: Int

    public init(tokens: [TokenID], scoredFrom: Int) {
      self.tokens = tokens
      self.scoredFrom = scoredFrom
    }
  }

  public func sequence(prompt: String, answer: String) throws(LacunaError) -> Sequence {
    let promptTokens = tokenizer.encode(prompt, bos: addsBOS, special: false)
    var tokens =
      switch boundary {
      case .joint: tokenizer.encode(prompt + answer, bos: addsBOS, special: false)
      case .split: promptTokens + tokenizer.encode(answer, bos: false, special: false)
      }
    if scoresEOS {
      guard let eos = tokenizer.eos ?? engine.config.eosTokenIDs.first else {
        throw LacunaError(.unsupported, "\(engine.info.name): the model names no EOS token to score")
      }
      tokens.append(eos)
    }
    guard promptTokens.count > 0 else {
      throw LacunaError(.invalidArgument, "an empty prompt without BOS leaves nothing to condition the answer on")
    }
    return Sequence(tokens: tokens, scoredFrom: min(promptTokens.count, tokens.count))
  }

  /// Sequences that are evaluated side by side: their own keys and values exist at the same time.
  private static let width = 16

  public func score(_ sequences: [Sequence]) throws(LacunaError) -> [AnswerScore] {
    guard let first = sequences.first else { return [] }
    let shared = sequences.reduce(first.tokens.count) { count, sequence in
      min(count, sequence.scoredFrom, zip(first.tokens, sequence.tokens).prefix { $0 == $1 }.count)
    }
    // The token that predicts the first scored one is each sequence's own.
    let trunk = try engine.makeSession()
    trunk.onProgress = onProgress
    if sequences.count > 1, shared > 1 {
      try trunk.append(first.tokens.prefix(shared - 1))
      try Batch.evaluate([trunk])
    }
    var result: [AnswerScore] = []
    for start in stride(from: 0, to: sequences.count, by: Self.width) {
      var items: [(session: Session, ids: [TokenID])] = []
      for sequence in sequences[start..<min(start + Self.width, sequences.count)] {
        let session = try trunk.fork()
        try session.append(sequence.tokens[trunk.count..<sequence.scoredFrom])
        items.append((session, Array(sequence.tokens[sequence.scoredFrom...])))
      }
      items[0].session.onProgress = onProgress
      for (item, scores) in zip(items, try Batch.score(items)) {
        result.append(AnswerScore(tokens: item.ids, scores: scores))
      }
    }
    return result
  }

  /// Scores every token of `text` but the first. Where it is longer than the context, each window of a full context
  /// scores its last `stride` tokens, so that every token is scored once, with at least context - stride before it.
  public func rollingScores(_ text: String, stride: Int = 512) throws(LacunaError) -> [TokenScore] {
    let tokens = tokenizer.encode(text, bos: addsBOS, special: false)
    let context = engine.contextLength
    guard (1..<context).contains(stride) else {
      throw LacunaError(.invalidArgument, "stride: expected 1 to \(context - 1), found \(stride)")
    }
    var scores: [TokenScore] = []
    var scored = 1
    while scored < tokens.count {
      let end = min(scored == 1 ? context : scored + stride, tokens.count)
      let begin = max(0, end - context)
      let session = try engine.makeSession()
      session.onProgress = onProgress
      try session.append(tokens[begin..<scored])
      scores += try session.score(appending: Array(tokens[scored..<end]))
      scored = end
    }
    return scores
  }
}
