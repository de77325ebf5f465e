/// Nucleus sampling (Holtzman et al. 2020, section 3.1): keeps the smallest set of most probable tokens whose
/// probabilities sum to p or more.
struct TopP: FilterStage {
  static let schema = StageSchema(
    name: "top_p", isSelector: false, keepsArgmax: true,
    meaning: "keeps the most probable tokens that together have probability p (nucleus)",
    parameters: [.number("p", 0.95, 0...1, "the share of the probability; 1 is off"), .minKeep])

  private let p: Double
  private let minKeep: Int

  init(_ parameters: StageParameters, _ environment: StageEnvironment) {
    p = parameters.number("p")
    minKeep = parameters.integer("min_keep")
  }

  func apply(_ candidates: inout Candidates, _ context: SamplingContext) throws(LacunaError) {
    guard p < 1 else { return }
    let range = try candidates.range()
    try candidates.keepMass(
      p, by: candidates.logits, bounds: (lowest: range.lowest, highest: range.highest), minimum: minKeep)
  }
}
