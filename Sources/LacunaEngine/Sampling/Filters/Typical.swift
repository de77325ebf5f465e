#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Locally typical sampling (Meister et al. 2022): keeps the smallest set of tokens whose surprise is nearest to
/// the entropy and whose probabilities sum to p or more. It may drop the most probable token.
struct Typical: FilterStage {
  static let schema = StageSchema(
    name: "typical", isSelector: false, keepsArgmax: false,
    meaning: "keeps the tokens whose surprise is nearest to the entropy, up to probability p",
    parameters: [.number("p", 0.95, 0...1, "the share of the probability; 1 is off"), .minKeep])

  private let p: Double
  private let minKeep: Int

  init(_ parameters: StageParameters, _ environment: StageEnvironment) {
    p = parameters.number("p")
    minKeep = parameters.integer("min_keep")
  }

  func apply(_ candidates: inout Candidates, _ context: SamplingContext) throws(LacunaError) {
    guard p < 1 else { return }
    let entropy = try candidates.entropy()
    let logTotal = log(try candidates.weights())
    let highest = try candidates.range().highest
    // |surprise - entropy| = |typicalLogit - logit|, as surprise is highest + ln(total) - logit.
    let typicalLogit = Float(Double(highest) + logTotal - entropy)
    let (logits, scores) = (candidates.logits, candidates.scratch.scores)
    var lowest = Float.infinity
    for position in 0..<candidates.count {
      let score = -abs(logits[position] - typicalLogit)
      scores[position] = score
      if score > -.infinity, score < lowest { lowest = score }
    }
    try candidates.keepMass(p, by: scores, bounds: (lowest: lowest, highest: 0), minimum: minKeep)
  }
}
