import Foundation
import LacunaEngine
import Testing

@Suite("What a model expects in the place of a token")
struct DistributionTests {
  private func engine(seed: UInt64 = 7, threads: Int = 2) throws -> Engine {
    let config = Synthetic.odd
    var options = Engine.Options()
    options.threadCount = threads
    return try Engine(
      config: config, weights: try ModelWeights.random(config: config, type: .e4m3, seed: seed),
      tokenizer: AlphabetTokenizer(), options: options)
  }

  /// ln p after `tokens`, in double precision.
  private func logProbabilities(_ engine: Engine, after tokens: ArraySlice<TokenID>) throws -> [Double] {
    let session = try engine.makeSession()
    try session.append(tokens)
    let logits = try session.logits().map { Double($0) }
    let highest = logits.max()!
    let total = highest + log(logits.reduce(0) { $0 + exp($1 - highest) })
    return logits.map { $0 - total }
  }

  // Longer than what is kept of logits at a time.
  private static let answer = String(repeating: "zebra", count: 14)

  @Test("moments are those of the definition, and scores the scorer's own bits")
  func moments() throws {
    let engine = try engine()
    var scorer = try Scorer(engine: engine)
    scorer.scoresEOS = true
    let (tokens, found) = try scorer.expectations(prompt: "whatisit", answer: Self.answer)
    let score = try scorer.score(prompt: "whatisit", answers: [Self.answer])[0]
    #expect(tokens == score.tokens && found.map(\.score) == score.scores && found.count == 71)
    let sequence = try scorer.sequence(prompt: "whatisit", answer: Self.answer)
    for (index, expectation) in found.enumerated() {
      let expected = try logProbabilities(engine, after: sequence.tokens.prefix(sequence.scoredFrom + index))
      let mean = expected.reduce(0) { $0 + exp($1) * $1 }
      let square = expected.reduce(0) { $0 + exp($1) * $1 * $1 }
      #expect(abs(expectation.mean - mean) < 1e-5, "token \(index)")
      #expect(abs(expectation.variance - (square - mean * mean)) < 1e-4, "token \(index)")
    }
  }

  @Test(
    "divergences are the reference's from the model's behind every token of prompt and answer, and none from itself")
  func divergences() throws {
    let (engine, reference) = (try engine(), try engine(seed: 8))
    let scorer = try Scorer(engine: engine)
    let found = try scorer.divergences(from: reference, prompt: "whatisit", answer: Self.answer)
    let tokens = try scorer.sequence(prompt: "whatisit", answer: Self.answer).tokens
    #expect(found.count == tokens.count)
    for (index, divergence) in found.enumerated() {
      let q = try logProbabilities(engine, after: tokens.prefix(index + 1))
      let p = try logProbabilities(reference, after: tokens.prefix(index + 1))
      let expected = zip(p, q).reduce(0) { $0 + exp($1.0) * ($1.0 - $1.1) }
      #expect(abs(divergence - expected) < 1e-5, "position \(index)")
    }
    #expect(try scorer.divergences(from: engine, prompt: "ab", answer: "cd") == [0, 0, 0, 0, 0])
  }

  @Test("the number of threads changes nothing")
  func threads() throws {
    let reference = try engine(seed: 8, threads: 1)
    let scorer = try Scorer(engine: engine(threads: 1))
    let moments = try scorer.expectations(prompt: "whatisit", answer: Self.answer).expectations
    let divergences = try scorer.divergences(from: reference, prompt: "whatisit", answer: Self.answer)
    for count in [2, 5] {
      let other = try Scorer(engine: engine(threads: count))
      #expect(try other.expectations(prompt: "whatisit", answer: Self.answer).expectations == moments)
      #expect(try other.divergences(from: reference, prompt: "whatisit", answer: Self.answer) == divergences)
    }
  }

  @Test("with EOS asked for, the positions are the same")
  func positions() throws {
    let (engine, reference) = (try engine(), try engine(seed: 8))
    var scorer = try Scorer(engine: engine)
    scorer.scoresEOS = false
    let without = try scorer.divergences(from: reference, prompt: "ab", answer: "cd")
    scorer.scoresEOS = true
    #expect(try scorer.divergences(from: reference, prompt: "ab", answer: "cd") == without)
  }
}
