#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Eta sampling (Hewitt, Manning and Liang 2022): an epsilon that falls where the entropy is high, keeping
/// probabilities of min(epsilon, sqrt(epsilon) * e^-entropy) or more.
struct Eta: FilterStage {
  static let schema = StageSchema(
    name: "eta", isSelector: false, keepsArgmax: true,
    meaning: "keeps tokens of a probability that depends on the entropy or more",
    parameters: [.number("epsilon", 2e-3, 0...1, "the probability at low entropy; 0 is off"), .minKeep])

  private let epsilon: Double
  private let minKeep: Int

  init(_ parameters: StageParameters, _ environment: StageEnvironment) {
    epsilon = parameters.number("epsilon")
    minKeep = parameters.integer("min_keep")
  }

  func apply(_ candidates: inout Candidates, _ context: SamplingContext) throws(LacunaError) {
    guard epsilon > 0 else { return }
    let eta = min(epsilon, epsilon.squareRoot() * exp(-(try candidates.entropy())))
    let threshold = eta * (try candidates.weights())
    try candidates.keep(atLeast: Float(threshold), in: candidates.scratch.weights, minimum: minKeep)
  }
}
