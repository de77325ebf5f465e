import Foundation
import LacunaEngine
import LacunaTestSupport
import Testing

/// Against float32 results of Hugging Face transformers on tiny checkpoints; see Tests/Fixtures/golden/README.md.
@Suite("Golden checkpoints")
struct GoldenTests {
  struct Golden: Decodable {
    let inputIDs: [TokenID]
    let lastLogits: [Float]
    let tokenLogprobs: [Float]
    let greedy: [TokenID]

    enum CodingKeys: String, CodingKey {
      case inputIDs = "input_ids"
      case lastLogits = "last_logits"
      case tokenLogprobs = "token_logprobs"
      case greedy
    }
  }

  static let folders = ["gqa-tied-fp8-channel", "llama3-rope", "odd-sizes"]

  private func load(
    _ folder: String, _ precision: Engine.Precision
  ) throws -> (engine: Engine, golden: Golden) {
    let path = Fixture.path("golden/\(folder)")
    var options = Engine.Options()
    options.precision = precision
    let data = try Data(contentsOf: URL(fileURLWithPath: "\(path)/golden.json"))
    return (try Engine.load(path: path, options: options), try JSONDecoder().decode(Golden.self, from: data))
  }

  @Test("float32 agrees with the reference", arguments: folders)
  func float32(folder: String) throws {
    let (engine, golden) = try load(folder, .f32)
    let session = try engine.makeSession()
    try session.append(golden.inputIDs[0])
    let scores = try session.score(appending: Array(golden.inputIDs.dropFirst()))
    for (score, expected) in zip(scores, golden.tokenLogprobs) {
      #expect(abs(score.logProbability - expected) < 1e-4)
    }
    for (logit, expected) in zip(try session.logits(), golden.lastLogits) { #expect(abs(logit - expected) < 1e-3) }
    for token in golden.greedy {
      let logits = try session.logits()
      #expect(logits.firstIndex(of: logits.max()!) == Int(token))
      try session.append(token)
    }
  }

  @Test("the fast path stays within 0.03 of the reference", arguments: folders)
  func fast(folder: String) throws {
    let (engine, golden) = try load(folder, .fast)
    let session = try engine.makeSession()
    try session.append(golden.inputIDs[0])
    let scores = try session.score(appending: Array(golden.inputIDs.dropFirst()))
    let squares = zip(scores, golden.tokenLogprobs).map { pow(Double($0.logProbability - $1), 2) }
    #expect((squares.reduce(0, +) / Double(squares.count)).squareRoot() < 0.03)
  }
}
