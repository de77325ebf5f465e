import Foundation
import LacunaEngine
import Testing

@Suite("Selectors")
struct SelectorTests {
  @Test("greedy takes the lowest id among the most probable", arguments: SampleLogits.all)
  func greedy(_ sample: SampleLogits) throws {
    var chain = try SamplerChain.native("greedy", vocabularySize: sample.count)
    #expect(try chain.draw(sample.values) == TokenID(FilterReference(sample.values).order[0]))
  }

  /// Pearson's statistic over bins of at least five expected draws, and its degrees of freedom.
  private func chiSquare(_ counts: [Int], _ probabilities: [Double]) -> (statistic: Double, freedom: Int) {
    let draws = Double(counts.reduce(0, +))
    var (statistic, bins, observed, expected) = (0.0, 0, 0.0, 0.0)
    for (count, probability) in zip(counts, probabilities) {
      observed += Double(count)
      expected += draws * probability
      if expected >= 5 {
        statistic += (observed - expected) * (observed - expected) / expected
        (bins, observed, expected) = (bins + 1, 0, 0)
      }
    }
    return (statistic, bins - 1)
  }

  @Test(
    "dist draws with the softmax's probabilities, dense or cut",
    arguments: [
      ("dist", SampleLogits(.usual, 23, seed: 1)), ("dist", SampleLogits(.zipf, 700, seed: 2)),
      ("dist", SampleLogits(.masked, 40, seed: 3)), ("top_k:9 dist", SampleLogits(.usual, 60, seed: 4)),
      ("temperature:2 top_p:0.9 dist", SampleLogits(.flat, 50, seed: 5)),
    ])
  func distribution(_ text: String, _ sample: SampleLogits) throws {
    let filters = text.split(separator: " ").dropLast().joined(separator: " ")
    let probabilities = FilterReference(try filtered(filters, sample.values)).probabilities
    var chain = try SamplerChain.native(text, vocabularySize: sample.count)
    var counts = [Int](repeating: 0, count: sample.count)
    for seed in 0..<8000 as Range<UInt64> { counts[Int(try chain.draw(sample.values, seed: seed))] += 1 }
    for id in counts.indices where probabilities[id] == 0 { #expect(counts[id] == 0) }
    let (statistic, freedom) = chiSquare(counts, probabilities)
    // Wilson and Hilferty's approximation of the 99.99th percentile.
    let spread = 2 / (9 * Double(freedom))
    let limit = Double(freedom) * pow(1 - spread + 3.72 * spread.squareRoot(), 3)
    #expect(statistic < limit)
  }

  @Test("draws depend on seed, stream and position, and on nothing else")
  func deterministic() throws {
    let sample = SampleLogits(.flat, 300, seed: 6)
    var used = try SamplerChain.native("top_p:0.99 dist", vocabularySize: 300)
    for step in 0..<20 {
      let tokens = [TokenID](repeating: 3, count: step)
      let token = try used.draw(sample.values, tokens: tokens, seed: 5, stream: 2)
      try used.accept(token)
      var fresh = try SamplerChain.native("top_p:0.99 dist", vocabularySize: 300)
      #expect(try fresh.draw(sample.values, tokens: tokens, seed: 5, stream: 2) == token)
    }
    func distinct(_ draw: (UInt64) throws -> TokenID) rethrows -> Int { try Set((0..<30).map { try draw($0) }).count }
    #expect(try distinct { try used.draw(sample.values, seed: $0) } > 20)
    #expect(try distinct { try used.draw(sample.values, seed: 1, stream: $0) } > 20)
    #expect(try distinct { try used.draw(sample.values, tokens: [TokenID](repeating: 0, count: Int($0))) } > 20)
  }

  @Test("a filter in front does not change the selector's draw where it cuts nothing")
  func commonRandomNumbers() throws {
    let sample = SampleLogits(.flat, 300, seed: 7)
    var plain = try SamplerChain.native("dist", vocabularySize: 300)
    var filtered = try SamplerChain.native("xtc:probability=0.5,threshold=0.5 top_k:300 dist", vocabularySize: 300)
    for seed in 0..<50 as Range<UInt64> {
      #expect(try plain.draw(sample.values, seed: seed) == filtered.draw(sample.values, seed: seed))
    }
  }

  /// Both Mirostats from their definitions: which tokens may be drawn, and how mu moves.
  private func mirostat(_ version: Int, _ logits: [Float], steps: Int, tau: Double, eta: Double) -> [TokenID] {
    let reference = FilterReference(logits)
    var mu = 2 * tau
    var drawn: [TokenID] = []
    for step in 0..<steps {
      var allowed: [Int]
      if version == 1 {
        let top = reference.order.prefix(100).map { reference.probabilities[$0] }
        let t = (1..<top.count).map { log(Double($0 + 1) / Double($0)) }
        let b = (1..<top.count).map { log(top[$0 - 1] / top[$0]) }
        let s = zip(t, b).reduce(0) { $0 + $1.0 * $1.1 } / t.reduce(0) { $0 + $1 * $1 }
        let k = pow((s - 1) * pow(2, mu) / (1 - pow(Double(logits.count), 1 - s)), 1 / s).rounded()
        allowed = Array(reference.order.prefix(max(1, Int(min(k, 1e6)))))
      } else {
        allowed = reference.order.filter { -log2(reference.probabilities[$0]) <= mu }
        if allowed.isEmpty { allowed = [reference.order[0]] }
      }
      var random = SeededRandom(seed: 1, position: UInt32(step))
      let target = random.uniform() * allowed.reduce(0) { $0 + reference.probabilities[$1] }
      var running = 0.0
      let token = allowed.sorted().first {
        running += reference.probabilities[$0]
        return running > target
      }!
      drawn.append(TokenID(token))
      mu -= eta * (-log2(reference.probabilities[token]) - tau)
    }
    return drawn
  }

  @Test("Mirostat follows its definition step by step", arguments: [1, 2], [2.0, 4.0])
  func mirostatSteps(_ version: Int, _ tau: Double) throws {
    let sample = SampleLogits(.zipf, 800, seed: 8)
    var chain = try SamplerChain.native(
      "\(version == 1 ? "mirostat" : "mirostat_v2"):tau=\(tau),eta=0.2", vocabularySize: 800)
    var tokens: [TokenID] = []
    for _ in 0..<120 {
      let token = try chain.draw(sample.values, tokens: tokens)
      try chain.accept(token)
      tokens.append(token)
    }
    #expect(tokens == mirostat(version, sample.values, steps: 120, tau: tau, eta: 0.2))
  }

  @Test("Mirostat's mean surprise comes to tau on Zipf's law", arguments: ["mirostat", "mirostat_v2"], [2.5, 4.5])
  func mirostatConverges(_ name: String, _ tau: Double) throws {
    let sample = SampleLogits(.zipf, 600, seed: 9)
    let probabilities = FilterReference(sample.values).probabilities
    var chain = try SamplerChain.native("\(name):tau=\(tau),eta=0.1", vocabularySize: 600)
    var tokens: [TokenID] = []
    for _ in 0..<1200 {
      let token = try chain.draw(sample.values, tokens: tokens)
      try chain.accept(token)
      tokens.append(token)
    }
    let late = tokens.suffix(1000)
    let mean = late.reduce(0) { $0 - log2(probabilities[Int($1)]) } / Double(late.count)
    #expect(abs(mean - tau) < 0.1)
  }

  /// Adaptive-p from its definition, drawing as `dist` does.
  private func adaptive(_ logits: [Float], steps: Int, target: Double, decay: Double) -> [TokenID] {
    let probabilities = FilterReference(logits).probabilities
    var (sum, weight) = (target / (1 - decay), 1 / (1 - decay))
    return (0..<steps).map { step in
      let wanted = min(max(2 * target - sum / weight, 0), 1)
      let scores = probabilities.map { p in
        let d = abs(p - wanted) / 0.3
        return exp(5 - 10 * d * d / (1 + d))
      }
      var random = SeededRandom(seed: 1, position: UInt32(step))
      let place = random.uniform() * scores.reduce(0, +)
      var running = 0.0
      let token = scores.indices.first {
        running += scores[$0]
        return running > place
      }!
      sum = probabilities[token] + decay * sum
      weight = 1 + decay * weight
      return TokenID(token)
    }
  }

  @Test("adaptive-p follows its definition step by step", arguments: [0.05, 0.4, 0.9], [0, 0.9, 0.99])
  func adaptiveSteps(_ target: Double, _ decay: Double) throws {
    let sample = SampleLogits(.usual, 40, seed: 12)
    var chain = try SamplerChain.native("adaptive_p:target=\(target),decay=\(decay)", vocabularySize: 40)
    var tokens: [TokenID] = []
    for _ in 0..<150 {
      let token = try chain.draw(sample.values, tokens: tokens)
      try chain.accept(token)
      tokens.append(token)
    }
    #expect(tokens == adaptive(sample.values, steps: 150, target: target, decay: decay))
  }

  @Test("adaptive-p draws only what filters left, and goes back with its tokens")
  func adaptiveState() throws {
    let sample = SampleLogits(.usual, 40, seed: 13)
    var chain = try SamplerChain.native("top_k:6 adaptive_p:0.3", vocabularySize: 40)
    let allowed = Set(FilterReference(sample.values).order.prefix(6))
    var tokens: [TokenID] = []
    func extend(to count: Int) throws {
      while tokens.count < count {
        let token = try chain.draw(sample.values, tokens: tokens)
        #expect(allowed.contains(Int(token)))
        try chain.accept(token)
        tokens.append(token)
      }
    }
    try extend(to: 40)
    let whole = tokens
    try chain.rewind(toAccepted: 15)
    tokens.removeLast(25)
    try extend(to: 40)
    #expect(tokens == whole)
  }

  @Test("Mirostat copes with one survivor and with equal logits", arguments: ["mirostat", "mirostat_v2"])
  func mirostatEdges(_ name: String) throws {
    var one = try SamplerChain.native("top_k:1 \(name)", vocabularySize: 5)
    #expect(try one.draw([0, 4, 1, 1, 1]) == 1)
    var equal = try SamplerChain.native(name, vocabularySize: 64)
    for seed in 0..<20 as Range<UInt64> {
      let token = try equal.draw([Float](repeating: 2, count: 64), seed: seed)
      try equal.accept(token)
      #expect((0..<64).contains(token))
    }
  }
}
