/// Top-n-sigma (Tang et al. 2024): keeps logits within n standard deviations of the highest one. The deviation
/// is the population's, over the tokens that are not masked. A temperature before or after makes no difference to it.
struct TopNSigma: FilterStage {
  static let schema = StageSchema(
    name: "top_n_sigma", isSelector: false, keepsArgmax: true,
    meaning: "keeps logits within n standard deviations of the highest one",
    parameters: [.number("n", 1, 0...1000, "how many standard deviations; 0 is off")])

  private let n: Double

  init(_ parameters: StageParameters, _ environment: StageEnvironment) {
    n = parameters.number("n")
  }

  func apply(_ candidates: inout Candidates, _ context: SamplingContext) throws(LacunaError) {
    guard n > 0 else { return }
    let range = try candidates.range()
    let deviation = LogitKernels.standardDeviation(candidates.logits, candidates.count, survivors: range.survivors)
    try candidates.keep(
      atLeast: Float(Double(range.highest) - n * deviation), in: candidates.logits, minimum: 1)
  }
}
