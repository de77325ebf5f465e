import Foundation
import LacunaEngine
import Testing

@Suite("Penalties")
struct PenaltyTests {
  /// From the definitions: CTRL's for each distinct token once, then OpenAI's.
  private func reference(
    _ logits: [Float], _ counted: [TokenID], repetition: Double, frequency: Double, presence: Double
  ) -> [Double] {
    var result = logits.map(Double.init)
    for token in Set(counted) {
      let id = Int(token)
      result[id] = result[id] > 0 ? result[id] / repetition : result[id] * repetition
      result[id] -= Double(counted.filter { $0 == token }.count) * frequency + presence
    }
    return result
  }

  private func expectClose(_ result: [Float], _ expected: [Double]) {
    for (a, b) in zip(result, expected) where !(Double(a) == b || abs(Double(a) - b) < 1e-5 * max(1, abs(b))) {
      Issue.record("\(a) is not \(b)")
    }
  }

  @Test("count the last tokens, with the prompt or without", arguments: SampleLogits.few)
  func counts(_ sample: SampleLogits) throws {
    var random = SeededRandom(seed: 4)
    let tokens = (0..<150).map { _ in TokenID(random.integer(in: 0...49)) }
    for (lastN, prompt, counted) in [
      (-1, true, tokens[...]), (-1, false, tokens[100...]), (30, true, tokens[120...]), (30, false, tokens[120...]),
      (90, false, tokens[100...]), (0, true, []), (1000, true, tokens[...]),
    ] {
      let result = try filtered(
        "penalties:repetition=1.3,frequency=0.2,presence=0.4,last_n=\(lastN),prompt=\(prompt)", sample.values,
        tokens: tokens, promptCount: 100)
      expectClose(
        result, reference(sample.values, Array(counted), repetition: 1.3, frequency: 0.2, presence: 0.4))
    }
  }

  @Test("reach what an earlier filter left, and nothing else")
  func afterCut() throws {
    let sample = SampleLogits(.usual, 400, seed: 8)
    let tokens: [TokenID] = Array(0..<400)
    let cut = try filtered("top_k:30", sample.values)
    expectClose(
      try filtered("top_k:30 penalties:repetition=1.5", sample.values, tokens: tokens),
      reference(cut, tokens, repetition: 1.5, frequency: 0, presence: 0))
  }

  @Test("ignore tokens outside the vocabulary, and start afresh with every token")
  func foreignTokens() throws {
    let chain = try SamplerChain.native("penalties:frequency=1 greedy", vocabularySize: 4)
    var used = chain
    for _ in 0..<3 {
      #expect(try used.draw([3, 2, 1, 0], tokens: [0, 0, 99, -1]) == 1)
      #expect(try used.draw([3, 2, 1, 0], tokens: []) == 0)
    }
  }

  @Test("a bias is added, and -inf bans", arguments: SampleLogits.few)
  func bias(_ sample: SampleLogits) throws {
    var expected = sample.values
    expected[3] += 2.5
    expected[7] = -.infinity
    #expect(try filtered("logit_bias:3=2.5,7=-inf", sample.values) == expected)
    let cut = try filtered("top_k:5", sample.values)
    #expect(try filtered("top_k:5 logit_bias:3=2.5,7=-inf", sample.values).survivors == cut.survivors.subtracting([7]))
  }
}
