public import LacunaEngine

/// Puts TOFU's questions to a model: scores the given answers, and generates one.
///
/// Answers of several questions are generated side by side, a pass for the next token of each; a question is reported as soon as
/// it is done. Results do not depend on who ran beside whom.
public struct TOFUMeasurement {
  private let engine: Engine
  private let tokenizer: any Tokenizer
  private let profile: TOFUProfile
  private let decoding: TOFUDecoding
  private let scorer: Scorer
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

  /// A question on its way.
  private struct Running {
    let question: TOFUQuestion
    let scores: [AnswerScore]
    var generation: Generation
    var tokens: [(token: TokenID, logProbability: Float)] = []
  }

  /// Measures every question; `report` gets each record once, in the order in which they are done.
  /// - Throws: whatever the engine or `report` throws, `cancelled` when `isCancelled` says so. What was reported stands.
  func run(
    _ questions: [TOFUQuestion], isCancelled: () -> Bool, report: (ResultStore.Record) throws -> Void
  ) throws {
    var waiting = questions[...]
    var running: [Running] = []
    while !waiting.isEmpty || !running.isEmpty {
      if isCancelled() { throw LacunaError(.cancelled, "interrupted") }
      while running.count < Self.width, let question = waiting.popFirst() {
        running.append(try start(question))
      }
      try Batch.forward(
        running.filter { $0.generation.generatedCount < $0.question.newTokenLimit }.map(\.generation.session))
      for index in running.indices {
        guard let event = try running[index].generation.next(), let token = event.token else { continue }
        running[index].tokens.append((token, event.logProbability))
      }
      for done in running where done.generation.finish != nil {
        let record = TOFURecord(
          scores: done.scores, question: done.question, generated: done.tokens, tokenizer: tokenizer)
        try report(
          ResultStore.Record(
            task: done.question.task.rawValue, row: done.question.row, itemHash: done.question.hash,
            value: record.text))
      }
      running.removeAll { $0.generation.finish != nil }
    }
  }

  private func start(_ question: TOFUQuestion) throws -> Running {
    var sequences: [Scorer.Sequence] = []
    for answer in question.answers { sequences.append(try sequence(prompt: question.prompt, answer: answer)) }
    let scores = try scorer.score(sequences)
    let session = try engine.makeSession()
    try session.append(tokenizer.encode(question.prompt, bos: true, special: false))
    var options = Generation.Options()
    options.maxTokens = question.newTokenLimit
    options.seed = decoding.seed
    options.stream = decoding.stream(question)
    let chain = try SamplerChain(
      decoding.stages, vocabularySize: engine.config.vocabSize, tokenizer: tokenizer)
    return Running(
      question: question, scores: scores, generation: try Generation(session: session, chain: chain, options: options))
  }

  /// What is scored of an answer: a sequence that fills the profile's limit is cut to it, and has no EOS to score.
  package func sequence(prompt: String, answer: String) throws(LacunaError) -> Scorer.Sequence {
    var sequence = try scorer.sequence(prompt: prompt, answer: answer)
    // The last token is the EOS.
    if sequence.tokens.count > profile.sequenceLimit {
      sequence.tokens.removeLast(sequence.tokens.count - profile.sequenceLimit)
      sequence.scoredFrom = min(sequence.scoredFrom, sequence.tokens.count)
    }
    return sequence
  }
}
