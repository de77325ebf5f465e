public import LacunaEngine

/// Puts TOFU's questions to a model: scores the given answers, and generates one.
///
/// Several questions are under way side by side, and what all of them wait for is evaluated together; a question is
/// reported as soon as it is done. Results do not depend on who ran beside whom.
public struct TOFUMeasurement {
  private let engine: Engine
  private let tokenizer: any Tokenizer
  private let profile: TOFUProfile
  private let decoding: TOFUDecoding
  private let scorer: Scorer
  /// False to evaluate a question again for each of its answers, for measurements of what sharing saves.
  public var sharesPrefixes = true
  /// Questions under way at a time.
  private static let width = 16

  /// - Throws: `unsupported` for a model without a tokenizer.
  public init(engine: Engine, profile: TOFUProfile, decoding: TOFUDecoding = .greedy) throws(LacunaError) {
    var scorer = try Scorer(engine: engine)
    scorer.scoresEOS = true
    guard let tokenizer = engine.tokenizer else {
      throw LacunaError(.unsupported, "\(engine.info.name): TOFU needs a tokenizer, and the model ships none")
    }
    self.engine = engine
    self.tokenizer = tokenizer
    self.profile = profile
    self.decoding = decoding
    self.scorer = scorer
  }

  /// What becomes of a question.
  private final class Running {
    let scores: Scores
    var tokens: [(token: TokenID, logProbability: Float)] = []
    init(answerCount: Int) { scores = Scores(count: answerCount) }
  }

  /// Measures every question; `report` gets each record once, in the order in which they are done.
  /// - Throws: whatever the engine or `report` throws, `cancelled` when `isCancelled` says so. What was reported stands.
  func run(
    _ questions: [TOFUQuestion], isCancelled: () -> Bool, report: (ResultStore.Record) throws -> Void
  ) throws {
    try withoutActuallyEscaping(isCancelled) { isCancelled in
      try withoutActuallyEscaping(report) { report in
        var running: [Int: Running] = [:]
        let group = WorkGroup(count: questions.count, width: Self.width) { index in
          let (work, item) = try start(questions[index])
          running[index] = item
          return work
        } finish: { index, error in
          if let error { throw error }
          if isCancelled() { throw LacunaError(.cancelled, "interrupted") }
          guard let item = running.removeValue(forKey: index) else { return }
          try report(try record(questions[index], item))
        }
        try group.run(isCancelled: isCancelled)
      }
    }
  }

  private func record(_ question: TOFUQuestion, _ item: Running) throws(LacunaError) -> ResultStore.Record {
    let record = TOFURecord(
      scores: try item.scores.all(), question: question, generated: item.tokens, tokenizer: tokenizer)
    return ResultStore.Record(
      task: question.task.rawValue, row: question.row, itemHash: question.hash, value: record.text)
  }

  /// Scoring and generating at the same time.
  private func start(_ question: TOFUQuestion) throws -> (work: any Work, item: Running) {
    var sequences: [Scorer.Sequence] = []
    for answer in question.answers { sequences.append(try sequence(prompt: question.prompt, answer: answer)) }
    let session = try engine.makeSession()
    try session.append(tokenizer.encode(question.prompt, bos: true, special: false))
    var options = Generation.Options()
    options.maxTokens = question.newTokenLimit
    options.seed = decoding.seed
    options.stream = decoding.stream(question)
    let chain = try SamplerChain(
      decoding.stages, vocabularySize: engine.config.vocabSize, tokenizer: tokenizer)
    let generation = try Generation(session: session, chain: chain, options: options)

    let item = Running(answerCount: sequences.count)
    let parts: [any Work] = [
      ScoringWork(engine: engine, sequences, sharesPrefixes: sharesPrefixes, report: item.scores.add),
      GenerationWork(generation) { event in
        if let token = event.token { item.tokens.append((token, event.logProbability)) }
      },
    ]
    let work = WorkGroup(count: parts.count, width: parts.count) {
      parts[$0]
    } finish: { _, error in
      if let error { throw error }
    }
    return (work, item)
  }

  /// What is scored of an answer: a sequence that fills the profile's limit is cut to it, and has no EOS to score.
  /// - Throws: `malformed` where that leaves nothing: a mean of no losses would count as known by heart.
  package func sequence(prompt: String, answer: String) throws(LacunaError) -> Scorer.Sequence {
    var sequence = try scorer.sequence(prompt: prompt, answer: answer)
    // The last token is the EOS.
    if sequence.tokens.count > profile.sequenceLimit {
      sequence.tokens.removeLast(sequence.tokens.count - profile.sequenceLimit)
    }
    guard sequence.scoredFrom < sequence.tokens.count else {
      throw LacunaError(
        .malformed,
        "\"\(prompt.clipped)\": expected tokens of an answer within \(profile.sequenceLimit), found \(sequence.scoredFrom) of the "
          + "prompt")
    }
    return sequence
  }
}
