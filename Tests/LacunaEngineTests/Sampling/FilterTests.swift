import LacunaEngine
import Testing

@Suite("Filters that cut")
struct FilterTests {
  private func check(
    _ filter: String, _ sample: SampleLogits, _ expected: FilterReference.Result,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let result = try filtered(filter, sample.values)
    #expect(!result.survivors.isEmpty, "\(filter)", sourceLocation: sourceLocation)
    for id in result.survivors where result[id] != sample.values[id] {
      Issue.record("\(filter) changed the logit of \(id)", sourceLocation: sourceLocation)
    }
    guard expected.isClear else { return }
    #expect(result.survivors == expected.kept, "\(filter)", sourceLocation: sourceLocation)
  }

  @Test("top-k keeps the k best, the lower ids among equals", arguments: SampleLogits.all)
  func topK(_ sample: SampleLogits) throws {
    let reference = FilterReference(sample.values)
    for k in [1, 2, 5, 40, 200, 1500] { try check("top_k:\(k)", sample, reference.topK(k)) }
    #expect(try filtered("top_k:0", sample.values) == sample.values)
  }

  @Test("top-p keeps the smallest set that reaches p", arguments: SampleLogits.all)
  func topP(_ sample: SampleLogits) throws {
    let reference = FilterReference(sample.values)
    for p in [0, 0.1, 0.5, 0.9, 0.95, 0.999] { try check("top_p:\(p)", sample, reference.topP(p)) }
    try check("top_p:p=0.3,min_keep=7", sample, reference.topP(0.3, minKeep: 7))
    #expect(try filtered("top_p:1", sample.values) == sample.values)
  }

  @Test("min-p compares with the most probable token", arguments: SampleLogits.all)
  func minP(_ sample: SampleLogits) throws {
    let reference = FilterReference(sample.values)
    for p in [0.01, 0.05, 0.3, 1] { try check("min_p:\(p)", sample, reference.minP(p)) }
    try check("min_p:p=0.5,min_keep=7", sample, reference.minP(0.5, minKeep: 7))
    #expect(try filtered("min_p:0", sample.values) == sample.values)
  }

  @Test("typical keeps what is nearest to the entropy", arguments: SampleLogits.all)
  func typical(_ sample: SampleLogits) throws {
    let reference = FilterReference(sample.values)
    for p in [0.1, 0.5, 0.9] { try check("typical:\(p)", sample, reference.typical(p)) }
    #expect(try filtered("typical:1", sample.values) == sample.values)
  }

  @Test("epsilon is an absolute probability, eta depends on the entropy", arguments: SampleLogits.all)
  func epsilonAndEta(_ sample: SampleLogits) throws {
    let reference = FilterReference(sample.values)
    for epsilon in [3e-4, 2e-3, 0.05, 1] {
      try check("epsilon:\(epsilon)", sample, reference.epsilon(epsilon))
      try check("eta:\(epsilon)", sample, reference.eta(epsilon))
    }
  }

  @Test("top-a compares with the square of the highest probability", arguments: SampleLogits.all)
  func topA(_ sample: SampleLogits) throws {
    let reference = FilterReference(sample.values)
    for a in [0.05, 0.2, 1] { try check("top_a:\(a)", sample, reference.topA(a)) }
    #expect(try filtered("top_a:0", sample.values) == sample.values)
  }

  @Test("tail-free sampling cuts where the ranked probabilities have flattened", arguments: SampleLogits.all)
  func tailFree(_ sample: SampleLogits) throws {
    let reference = FilterReference(sample.values)
    for z in [0, 0.3, 0.9, 0.95] { try check("tfs:\(z)", sample, reference.tailFree(z)) }
    #expect(try filtered("tfs:1", sample.values) == sample.values)
  }

  @Test("smoothing bends logits by the square and the cube of their distance", arguments: SampleLogits.all)
  func smoothing(_ sample: SampleLogits) throws {
    for (factor, curve) in [(0.3, 1.0), (0.2, 2.5), (4, 3)] {
      let result = try filtered("smoothing:factor=\(factor),curve=\(curve)", sample.values)
      for (id, expected) in FilterReference(sample.values).smoothing(factor: factor, curve: curve).enumerated() {
        guard expected > -.infinity else {
          #expect(result[id] == -.infinity)
          continue
        }
        #expect(abs(Double(result[id]) - expected) <= 1e-5 * max(1, abs(expected)), "\(factor), \(curve), \(id)")
      }
    }
    #expect(try filtered("smoothing:0", sample.values) == sample.values)
  }

  @Test("no token completes an n-gram that was there, unless none would be left", arguments: SampleLogits.few)
  func noRepeatNgram(_ sample: SampleLogits) throws {
    var random = SeededRandom(seed: 3)
    let text = (0..<200).map { _ in TokenID(random.integer(in: 0...4)) }
    for n in 1...5 {
      for tokens in [text, Array(text.prefix(n)), Array(text.prefix(n - 1)), [TokenID](repeating: 2, count: 9)] {
        let expected = FilterReference(sample.values).noRepeatNgram(n, tokens.map(Int.init))
        #expect(try filtered("no_repeat_ngram:\(n)", sample.values, tokens: tokens).survivors == expected)
        let cut = try filtered("top_k:3", sample.values)
        #expect(
          try filtered("top_k:3 no_repeat_ngram:\(n)", sample.values, tokens: tokens).survivors
            == FilterReference(cut).noRepeatNgram(n, tokens.map(Int.init)))
      }
    }
    #expect(try filtered("no_repeat_ngram:0", sample.values, tokens: text) == sample.values)
  }

  @Test("top-n-sigma counts standard deviations of the logits", arguments: SampleLogits.all)
  func topNSigma(_ sample: SampleLogits) throws {
    let reference = FilterReference(sample.values)
    for n in [0.5, 1, 2] { try check("top_n_sigma:\(n)", sample, reference.topNSigma(n)) }
  }

  @Test("top-n-sigma does not depend on the temperature")
  func topNSigmaTemperature() throws {
    let sample = SampleLogits(.usual, 500, seed: 3)
    let plain = try filtered("top_n_sigma:1.5", sample.values)
    let hot = try filtered("temperature:2 top_n_sigma:1.5", sample.values)
    #expect(plain.survivors == hot.survivors)
  }

  @Test("xtc leaves the least of the good choices", arguments: SampleLogits.all)
  func excludeTopChoices(_ sample: SampleLogits) throws {
    let reference = FilterReference(sample.values)
    for threshold in [0.02, 0.1, 0.4] {
      try check(
        "xtc:probability=1,threshold=\(threshold)", sample, reference.excludeTopChoices(threshold))
    }
    #expect(try filtered("xtc:probability=0", sample.values) == sample.values)
    #expect(try filtered("xtc:probability=1,threshold=0.6", sample.values) == sample.values)
  }

  @Test("xtc acts as often as asked, and the same way for the same seed and position")
  func excludeTopChoicesOdds() throws {
    let logits: [Float] = [1, 1, 0, -1]
    var acted = 0
    for seed in 0..<2000 as Range<UInt64> {
      let first = try filtered("xtc:probability=0.3,threshold=0.1", logits, seed: seed)
      if seed < 20 { #expect(try filtered("xtc:probability=0.3,threshold=0.1", logits, seed: seed) == first) }
      if first != logits { acted += 1 }
    }
    // Four standard deviations of a binomial of 2000 at 0.3.
    #expect(abs(acted - 600) < 82)
  }

  @Test("a cut after a cut is the cut of what is left", arguments: SampleLogits.few)
  func composed(_ sample: SampleLogits) throws {
    let first = try filtered("top_k:60", sample.values)
    for second in [
      "top_k:11", "top_p:0.7", "min_p:0.2", "typical:0.6", "top_n_sigma:1", "epsilon:0.01", "eta:0.05",
      "top_a:0.3", "tfs:0.8", "smoothing:0.4",
    ] {
      #expect(try filtered("top_k:60 \(second)", sample.values) == filtered(second, first), "\(second)")
    }
  }

  @Test("filters that keep the most probable token say so, and masked tokens stay masked", arguments: SampleLogits.all)
  func properties(_ sample: SampleLogits) throws {
    let tokens: [TokenID] = (0..<30).map { $0 % TokenID(sample.count) }
    for schema in SamplerChain.catalogue where !schema.isSelector {
      let result = try filtered(schema.name, sample.values, tokens: tokens)
      #expect(!result.survivors.isEmpty, "\(schema.name)")
      #expect(result.survivors.isSubset(of: sample.values.survivors), "\(schema.name)")
      #expect(!result.contains { $0.isNaN || $0 == .infinity }, "\(schema.name)")
      if schema.keepsArgmax {
        let best = FilterReference(sample.values).order[0]
        #expect(FilterReference(result).order[0] == best, "\(schema.name)")
      }
    }
  }

  @Test("cuts by rank or by ratio change nothing the second time", arguments: SampleLogits.few)
  func idempotent(_ sample: SampleLogits) throws {
    for filter in ["top_k:20", "min_p:0.1", "temperature:0"] {
      #expect(try filtered("\(filter) \(filter)", sample.values) == filtered(filter, sample.values), "\(filter)")
    }
  }
}
