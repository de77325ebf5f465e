#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Min-p (Nguyen et al. 2024): keeps tokens at least p times as probable as the most probable one. No softmax
/// is needed: that is a logit of at least the highest + ln p.
struct MinP: FilterStage {
  static let schema = StageSchema(
    name: "min_p", isSelector: false, keepsArgmax: true,
    meaning: "keeps tokens at least p times as probable as the most probable one",
    parameters: [.number("p", 0.05, 0...1, "the fraction; 0 is off"), .minKeep])

  private let logP: Double
  private let minKeep: Int

  init(_ parameters: StageParameters, _ environment: StageEnvironment) {
    logP = log(parameters.number("p"))
    minKeep = parameters.integer("min_keep")
  }

  func apply(_ candidates: inout Candidates, _ context: SamplingContext) throws(LacunaError) {
    guard logP > -.infinity else { return }
    let highest = try candidates.range().highest
    try candidates.keep(
      atLeast: Float(Double(highest) + logP), in: candidates.logits, minimum: minKeep)
  }
}
