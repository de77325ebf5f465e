import LacunaEngine
import Testing

@Suite("Scoring answers")
struct ScoringTests {
  private func engine() throws -> Engine {
    let config = Synthetic.odd
    return try Engine(
      config: config, weights: try ModelWeights.random(config: config, type: .e4m3, seed: 7),
      tokenizer: AlphabetTokenizer())
  }

  @Test("answers scored together have the bits of each alone")
  func shared() throws {
    let scorer = try Scorer(engine: engine())
    let answers =
      ["abc", "abd", "", "q", String(repeating: "zebra", count: 20)]
      + (0..<20).map { "a\("bcdefghijklmnopqrstuv".prefix($0))" }
    let together = try scorer.score(prompt: "whatisit", answers: answers)
    for (answer, score) in zip(answers, together) {
      #expect(try scorer.score(prompt: "whatisit", answers: [answer]) == [score])
      #expect(score.count == answer.count)
    }
  }

  @Test("each token's score is that of the whole text, teacher-forced")
  func teacherForced() throws {
    let engine = try engine()
    var scorer = try Scorer(engine: engine)
    scorer.scoresEOS = true
    let score = try scorer.score(prompt: "ab", answers: ["cde"])[0]
    #expect(score.tokens == [4, 5, 6, 1])
    let session = try engine.makeSession()
    try session.append([0, 2, 3])
    #expect(try session.score(appending: [4, 5, 6, 1]) == score.scores)
    #expect(abs(score.mean - score.sum / 4) < 1e-12)
  }

  @Test("a piece across the border counts as the prompt's")
  func border() throws {
    let scorer = try Scorer(engine: engine())
    // Alone, the prompt is BOS a b x: four tokens. Joined, "xy" is one piece and takes the answer's first letter.
    let joint = try scorer.sequence(prompt: "abx", answer: "yz")
    #expect(joint == Scorer.Sequence(tokens: [0, 2, 3, 60, 27], scoredFrom: 4))
    var split = scorer
    split.boundary = .split
    #expect(
      try split.sequence(prompt: "abx", answer: "yz")
        == Scorer.Sequence(tokens: [0, 2, 3, 25, 26, 27], scoredFrom: 4))
  }

  @Test("a text longer than the context is scored once, token by token")
  func rolling() throws {
    var config = Synthetic.odd
    config.maxPositionEmbeddings = 32
    let engine = try Engine(
      config: config, weights: try ModelWeights.random(config: config, type: .bf16, seed: 7),
      tokenizer: AlphabetTokenizer())
    let scorer = try Scorer(engine: engine)
    let text = String(repeating: "abcdefghij", count: 10)
    let scores = try scorer.rollingScores(text, stride: 8)
    #expect(scores.count == 100)
    let tokens = AlphabetTokenizer().encode(text, bos: true, special: false)
    // The last window: the 32 tokens that end the text, of which the last few are scored.
    let session = try engine.makeSession()
    try session.append(tokens[(tokens.count - 32)..<(tokens.count - 1)])
    #expect(try session.score(appending: [tokens.last!]).last == scores.last)
  }
}
