#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A filter that keeps the shortest beginning of some ranking whose probabilities sum to p or more. Strength 1 is off.
protocol MassFilter: LimitedFilter {
  var limit: CutLimit { get }
  /// Keeps the share by the stage's own ranking.
  func keep(_ candidates: inout Candidates) throws(LacunaError)
}

extension MassFilter {
  func apply(_ candidates: inout Candidates, _ context: SamplingContext) throws(LacunaError) {
    if limit.strength < 1 { try keep(&candidates) }
  }

  static var share: StageSchema.Parameter {
    .number("p", 0.95, 0...1, "the share of the probability; 1 is off")
  }
}

/// Nucleus sampling (Holtzman et al. 2020, section 3.1): keeps the smallest set of most probable tokens whose
/// probabilities sum to p or more.
struct TopP: MassFilter {
  static let schema = limitedSchema(
    "top_p", "keeps the most probable tokens that together have probability p (nucleus)", share)

  let limit: CutLimit

  func keep(_ candidates: inout Candidates) throws(LacunaError) {
    try candidates.keepMass(
      limit.strength, by: candidates.logits, scoresRiseWithLogits: true, minimum: limit.minKeep)
  }
}

/// Locally typical sampling (Meister et al. 2022): keeps the smallest set of tokens whose surprise is nearest to
/// the entropy and whose probabilities sum to p or more. It may drop the most probable token.
struct Typical: MassFilter {
  static let schema = limitedSchema(
    "typical", "keeps the tokens whose surprise is nearest to the entropy, up to probability p", keepsArgmax: false,
    share)

  let limit: CutLimit

  func keep(_ candidates: inout Candidates) throws(LacunaError) {
    let entropy = try candidates.entropy()
    let logTotal = log(try candidates.weights())
    let highest = try candidates.range().highest
    // |surprise - entropy| = |typicalLogit - logit|, as surprise is highest + ln(total) - logit.
    let typicalLogit = Float(Double(highest) + logTotal - entropy)
    let (logits, scores) = (candidates.logits, candidates.scratch.scores)
    for position in 0..<candidates.count { scores[position] = -abs(logits[position] - typicalLogit) }
    try candidates.keepMass(limit.strength, by: scores, scoresRiseWithLogits: false, minimum: limit.minKeep)
  }
}
