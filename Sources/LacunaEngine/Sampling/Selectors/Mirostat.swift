#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Mirostat (Basu et al. 2021, algorithm 1): fits Zipf's law to the m most probable tokens, derives from it the k whose
/// top-k sampling has the surprise mu, and draws from those k.
struct Mirostat: SelectorStage {
  static let schema = StageSchema(
    name: "mirostat", isSelector: true, keepsArgmax: false,
    meaning: "draws so that the surprise stays near tau (Mirostat 1, through a fit of Zipf's law)",
    parameters: SurpriseTarget.parameters + [
      .integer("m", 100, 2...1_000_000, "how many of the most probable tokens the fit uses")
    ])

  private var target: SurpriseTarget
  private let m: Int
  private let vocabularySize: Int

  init(_ parameters: StageParameters, _ environment: StageEnvironment) {
    target = SurpriseTarget(parameters)
    m = parameters.integer("m")
    vocabularySize = environment.vocabularySize
  }

  mutating func pick(_ candidates: inout Candidates, _ context: SamplingContext) throws(LacunaError) -> TokenID {
    let bitsOfAll = log2(try candidates.weights())
    let highest = try candidates.range().highest
    let k = Self.count(
      exponent: try zipfExponent(&candidates), mu: target.mu, vocabularySize: vocabularySize)
    try candidates.keepBest(k)
    let position = try candidates.draw(context)
    let token = candidates.id(at: position)
    target.drew(token, surprise: bitsOfAll + Double(highest - candidates.logits[position]) * log2(M_E))
    return token
  }

  /// Least squares for s in p(i) / p(i + 1) = ((i + 1) / i)^s.
  private func zipfExponent(_ candidates: inout Candidates) throws(LacunaError) -> Double {
    let order = UnsafeMutableBufferPointer(start: candidates.scratch.positions, count: try candidates.bestPositions(m))
    let logits = UnsafePointer(candidates.logits)
    Selection.sort(order, by: logits)
    var (products, squares) = (0.0, 0.0)
    for rank in 1..<max(order.count, 1) {
      let t = log(Double(rank + 1) / Double(rank))
      products += t * Double(logits[Int(order[rank - 1])] - logits[Int(order[rank])])
      squares += t * t
    }
    return squares > 0 ? products / squares : .infinity
  }

  /// k = ((s - 1) 2^mu / (1 - N^(1 - s)))^(1 / s), rounded, at least 1. Where the law is flat all stay.
  static func count(exponent s: Double, mu: Double, vocabularySize: Int) -> Int {
    guard s > 0 else { return vocabularySize }
    guard s < .infinity else { return 1 }
    let excess = s - 1
    let size = Double(vocabularySize)
    // (s - 1) / (1 - N^(1 - s)) tends to 1 / ln N at s = 1.
    let ratio = abs(excess) < 1e-9 ? 1 / log(size) : excess / (1 - pow(size, -excess))
    let k = pow(ratio * exp2(mu), 1 / s).rounded()
    return k < size ? max(1, Int(k)) : vocabularySize
  }

  mutating func accept(_ token: TokenID) { target.accept(token) }
  mutating func rewind(toAccepted count: Int) { target.rewind(toAccepted: count) }
}
