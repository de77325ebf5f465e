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
    try score(try sequences(prompt: prompt, answers: answers))
  }

  public func sequences(prompt: String, answers: [String]) throws(LacunaError) -> [Sequence] {
    var sequences: [Sequence] = []
    for answer in answers { sequences.append(try sequence(prompt: prompt, answer: answer)) }
    return sequences
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

  /// One score a sequence. What several of them begin with is evaluated once.
  /// - Throws: what the first of them that fails fails with.
  public func score(_ sequences: [Sequence]) throws(LacunaError) -> [AnswerScore] {
    let result = Scores(count: sequences.count)
    try finish(ScoringWork(engine: engine, sequences, report: result.add))
    return try result.all()
  }

  /// The windows in which every token of `text` but the first is scored once. Where the text is longer than the context,
  /// each window of a full context scores its last `stride` tokens, so that each has at least context - stride before it.
  /// - Throws: `invalidArgument` for a stride that is not below the context.
  public func windows(_ text: String, stride: Int) throws(LacunaError) -> [Sequence] {
    let tokens = tokenizer.encode(text, bos: addsBOS, special: false)
    let context = engine.contextLength
    guard (1..<context).contains(stride) else {
      throw LacunaError(.invalidArgument, "stride: expected 1 to \(context - 1), found \(stride)")
    }
    var windows: [Sequence] = []
    var scored = 1
    while scored < tokens.count {
      let end = min(scored == 1 ? context : scored + stride, tokens.count)
      let begin = max(0, end - context)
      windows.append(Sequence(tokens: Array(tokens[begin..<end]), scoredFrom: scored - begin))
      scored = end
    }
    return windows
  }

  /// Scores every token of `text` but the first; see `windows`.
  public func rollingScores(_ text: String, stride: Int = 512) throws(LacunaError) -> [TokenScore] {
    try score(try windows(text, stride: stride)).flatMap(\.scores)
  }
}

/// Scores by number, as they come.
public final class Scores {
  private var results: [Result<AnswerScore, LacunaError>?]

  public init(count: Int) { results = Array(repeating: nil, count: count) }

  public func add(_ index: Int, _ result: Result<AnswerScore, LacunaError>) { results[index] = result }

  /// The one with the number, once it is there.
  /// - Throws: what it failed with.
  public func score(_ index: Int) throws(LacunaError) -> AnswerScore {
    guard let result = results[index] else { preconditionFailure("score \(index) is missing") }
    return try result.get()
  }

  /// All of them, once all are there.
  /// - Throws: what the first of them that failed failed with.
  public func all() throws(LacunaError) -> [AnswerScore] {
    var scores: [AnswerScore] = []
    for index in results.indices { scores.append(try score(index)) }
    return scores
  }
}
