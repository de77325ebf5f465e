/// XTC, "exclude top choices" (p-e-w, text-generation-webui pull request 6335, 2024): with the given probability,
/// removes every token that reaches the threshold but the least probable of them.
struct ExcludeTopChoices: FilterStage {
  static let schema = StageSchema(
    name: "xtc", isSelector: false, keepsArgmax: false,
    meaning: "now and then removes all good choices but the least of them (exclude top choices)",
    parameters: [
      .number("probability", 0.5, 0...1, "how often it acts; 0 is off"),
      .number("threshold", 0.1, 0...1, "from what probability on a token is a good choice; above 0.5 is off"),
      .minKeep,
    ])

  private let probability: Double
  private let threshold: Double
  private let minKeep: Int

  init(_ parameters: StageParameters, _ environment: StageEnvironment) {
    probability = parameters.number("probability")
    threshold = parameters.number("threshold")
    minKeep = parameters.integer("min_keep")
  }

  func apply(_ candidates: inout Candidates, _ context: SamplingContext) throws(LacunaError) {
    // Two tokens cannot both have more than half.
    guard probability > 0, threshold <= 0.5 else { return }
    var random = context.random
    guard random.uniform() < probability else { return }
    let total = try candidates.weights()
    let positions = candidates.scratch.positions
    let choices = LogitKernels.indexes(
      positions, of: candidates.scratch.weights, candidates.count,
      atLeast: max(Float(threshold * total), .leastNonzeroMagnitude))
    let survivors = try candidates.range().survivors
    guard choices >= 2, survivors - (choices - 1) >= minKeep else { return }
    let logits = candidates.logits
    var least = positions[0]
    for index in 1..<choices where logits[Int(positions[index])] <= logits[Int(least)] { least = positions[index] }
    for index in 0..<choices where positions[index] != least { logits[Int(positions[index])] = -.infinity }
    try candidates.logitsChanged()
  }
}
