/// Epsilon sampling (Hewitt, Manning and Liang 2022): keeps tokens of at least an absolute probability.
struct Epsilon: FilterStage {
  static let schema = StageSchema(
    name: "epsilon", isSelector: false, keepsArgmax: true, meaning: "keeps tokens of probability epsilon or more",
    parameters: [.number("epsilon", 3e-4, 0...1, "the probability; 0 is off"), .minKeep])

  private let epsilon: Double
  private let minKeep: Int

  init(_ parameters: StageParameters, _ environment: StageEnvironment) {
    epsilon = parameters.number("epsilon")
    minKeep = parameters.integer("min_keep")
  }

  func apply(_ candidates: inout Candidates, _ context: SamplingContext) throws(LacunaError) {
    guard epsilon > 0 else { return }
    let threshold = epsilon * (try candidates.weights())
    try candidates.keep(atLeast: Float(threshold), in: candidates.scratch.weights, minimum: minKeep)
  }
}
