import LacunaEngine
import LacunaEval
import LacunaTestSupport
import Testing

@Suite("Sampled answers")
struct DecodingTests {
  private let directory: TemporaryDirectory
  private let data: TOFUData

  init() throws {
    directory = try TemporaryDirectory()
    data = try TOFUData(TOFUDataTests.demo)
  }

  private func texts(
    _ name: String, _ decoding: TOFUDecoding, limit: Int = 4, shard: (Int, Int) = (1, 1)
  ) throws -> [Int: String] {
    let store = try ResultStore(path: "\(directory.path)/\(name).sqlite", .create)
    var evaluation = TOFUEvaluation(store: store, role: .model)
    evaluation.split = .forget10
    evaluation.selection = ItemSelection(limit: limit, shard: shard)
    evaluation.decoding = decoding
    try evaluation.run(try EvaluationTests.engines.get().reference, data: data)
    let rows = try #require(try store.tofuLog(of: .model)?.tasks[.forget])
    return Dictionary(uniqueKeysWithValues: rows.map { ($0.index, $0.generated?.text ?? "") })
  }

  private func sampled(_ temperature: Double = 1.5, topK: Int = 0, topP: Double = 1, seed: UInt64 = 0) -> TOFUDecoding {
    .sampled(temperature: temperature, topK: topK, topP: topP, seed: seed)
  }

  @Test("a seed gives one text a row, whoever is measured beside it; another seed gives others")
  func seeds() throws {
    let whole = try texts("whole", sampled())
    #expect(whole.count == 4)
    #expect(try texts("again", sampled()) == whole)
    #expect(try texts("shard", sampled(), shard: (2, 2)) == whole.filter { $0.key % 2 == 1 })
    #expect(try texts("seed", sampled(seed: 1)) != whole)
    #expect(try texts("greedy", .greedy) != whole)
  }

  @Test("one candidate, no nucleus or no temperature to speak of is greedy")
  func limits() throws {
    let greedy = try texts("greedy", .greedy)
    #expect(try texts("k", sampled(topK: 1)) == greedy)
    #expect(try texts("p", sampled(topP: 1e-6)) == greedy)
    #expect(try texts("t", sampled(0)) == greedy)
  }

  @Test("what is not given is the checkpoint's, and a run does not go on with another decoding")
  func defaults() throws {
    var defaults = SamplingDefaults()
    #expect(TOFUDecoding.sampling(as: defaults) == .sampled(temperature: 1, topK: 50, topP: 1, seed: 0))
    defaults.temperature = 0.6
    defaults.topP = 0.9
    #expect(
      TOFUDecoding.sampling(as: defaults, topP: 0.5, seed: 3)
        == .sampled(temperature: 0.6, topK: 50, topP: 0.5, seed: 3))

    _ = try texts("run", sampled(), limit: 1)
    let store = try ResultStore(path: "\(directory.path)/run.sqlite", .createOrContinue)
    var evaluation = TOFUEvaluation(store: store, role: .model)
    evaluation.split = .forget10
    evaluation.decoding = sampled(1.2)
    let engine = try EvaluationTests.engines.get().reference
    let error = #expect(throws: LacunaError.self) { try evaluation.run(engine, data: data) }
    #expect(error?.message.contains("parameters: expected") == true, "\(error?.message ?? "")")
  }
}
