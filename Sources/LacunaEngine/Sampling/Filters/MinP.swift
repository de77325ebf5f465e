#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Min-p (Nguyen et al. 2024): keeps tokens at least p times as probable as the most probable one. No softmax
/// is needed: that is a logit of at least the highest + ln p.
struct MinP: LimitedFilter {
  static let schema = limitedSchema(
    "min_p", "keeps tokens at least p times as probable as the most probable one",
    .number("p", 0.05, 0...1, "the fraction; 0 is off"))

  let limit: CutLimit

  func apply(_ candidates: inout Candidates, _ context: SamplingContext) throws(LacunaError) {
    guard limit.strength > 0 else { return }
    let highest = try candidates.range().highest
    try candidates.keep(
      atLeast: Float(Double(highest) + log(limit.strength)), in: candidates.logits, minimum: limit.minKeep)
  }
}
