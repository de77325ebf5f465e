import LacunaEngine
import Testing

@Suite("Scoring many sequences")
struct ScoringWorkTests {
  /// Sequences over a tree of beginnings, in an order that mixes them.
  private static let sequences: [Scorer.Sequence] = {
    var random = SeededRandom(seed: 5)
    func tokens(_ count: Int) -> [TokenID] { (0..<count).map { _ in TokenID(random.integer(in: 0...202)) } }
    let root = tokens(9)
    let stems = (0..<4).map { _ in root + tokens(30) } + [root, root + tokens(2), tokens(3), []]
    var sequences: [Scorer.Sequence] = []
    for round in 0..<5 {
      for (index, stem) in stems.enumerated() {
        let prompt = stem + tokens(stem.isEmpty ? 1 : round % 2)
        sequences.append(
          Scorer.Sequence(tokens: prompt + tokens(1 + (round + index) % 6), scoredFrom: prompt.count))
      }
    }
    // Longer than a pass; the same again; nothing to score.
    sequences.append(Scorer.Sequence(tokens: root + tokens(600), scoredFrom: root.count))
    sequences.append(sequences[3])
    sequences.append(Scorer.Sequence(tokens: root, scoredFrom: root.count))
    return sequences
  }()

  private func alone(_ sequence: Scorer.Sequence, _ engine: Engine) throws -> [TokenScore] {
    let session = try engine.makeSession()
    try session.append(sequence.tokens.prefix(sequence.scoredFrom))
    return try session.score(appending: Array(sequence.tokens.dropFirst(sequence.scoredFrom)))
  }

  private func together(
    _ sequences: [Scorer.Sequence], _ engine: Engine, budget: KVBudget = .ofMachine
  ) throws -> [[TokenScore]] {
    let scores = Scores(count: sequences.count)
    try ScoringWork(engine: engine, sequences, budget: budget, report: scores.add).run()
    return try scores.all().map(\.scores)
  }

  @Test("what is shared changes no bit, whatever the order and the memory", arguments: InvarianceTests.forms)
  func values(form: InvarianceTests.Form) throws {
    let engine = try Synthetic.engine(type: form.type, threads: 1, kv: form.kv, precision: form.precision)
    let expected = try Self.sequences.map { try alone($0, engine) }
    for threads in [1, 2] {
      let engine = try Synthetic.engine(type: form.type, threads: threads, kv: form.kv, precision: form.precision)
      #expect(try together(Self.sequences, engine) == expected)
      #expect(try together(Self.sequences.reversed(), engine) == expected.reversed())
      #expect(try together(Self.sequences, engine, budget: KVBudget(bytes: 0)) == expected)
    }
  }

  @Test("a beginning costs its tokens once, within a question and across questions")
  func cost() throws {
    let engine = try Synthetic.engine()
    let (head, a, b) = (Synthetic.tokens(50, seed: 2), Synthetic.tokens(40, seed: 3), Synthetic.tokens(40, seed: 4))
    // Two questions of 90 tokens, 50 of them the same; six answers of four tokens each.
    let sequences = [a, b].flatMap { question in
      (0..<6).map { answer in
        Scorer.Sequence(
          tokens: head + question + Synthetic.tokens(4, seed: UInt64(10 + answer)), scoredFrom: 90)
      }
    }
    let before = engine.passTally
    _ = try together(sequences, engine)
    // Of each question but its last token, and that one with all but the last token of each answer.
    #expect(engine.passTally.tokens - before.tokens == 50 + 2 * 39 + 12 * 4)
    #expect(engine.passTally.passes - before.passes == 3)
  }

  @Test("a sequence that cannot be scored fails alone")
  func failures() throws {
    let engine = try Synthetic.engine()
    let good = Self.sequences[0]
    var sequences = [good, good, good, good]
    sequences[1].tokens[2] = 100_000
    sequences[2].tokens += Synthetic.tokens(1100)
    sequences[3].scoredFrom = 0
    var failed: [Int: LacunaError.Code] = [:]
    var scored: [Int] = []
    try ScoringWork(engine: engine, sequences) { index, result in
      switch result {
      case .success: scored.append(index)
      case .failure(let error): failed[index] = error.code
      }
    }.run()
    #expect(scored == [0])
    #expect(failed == [1: .invalidArgument, 2: .contextFull, 3: .invalidArgument])
  }

  @Test("a beginning that fails, fails all that share it and no other")
  func failingBeginning() throws {
    let engine = try Synthetic.engine()
    let head: [TokenID] = Synthetic.tokens(20) + [9999]
    let sequences =
      (0..<3).map { Scorer.Sequence(tokens: head + [TokenID($0), 5, 6], scoredFrom: 22) } + [Self.sequences[0]]
    var outcomes: [Int: Bool] = [:]
    try ScoringWork(engine: engine, sequences) { index, result in
      outcomes[index] = if case .success = result { true } else { false }
    }.run()
    #expect(outcomes == [0: false, 1: false, 2: false, 3: true])
  }
}
