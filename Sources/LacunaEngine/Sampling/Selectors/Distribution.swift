/// Draws a token with its probability, by one uniform number and the running sum in the order of ids: with the same
/// number two similar distributions mostly give the same token, however their ranks differ.
struct Distribution: SelectorStage {
  static let schema = StageSchema(
    name: "dist", isSelector: true, keepsArgmax: false, meaning: "draws a token with its probability", parameters: [])

  init(_ parameters: StageParameters, _ environment: StageEnvironment) {}

  func pick(_ candidates: inout Candidates, _ context: SamplingContext) throws(LacunaError) -> TokenID {
    candidates.id(at: try candidates.draw(context))
  }
}

extension Candidates {
  /// A position, drawn with its probability.
  mutating func draw(_ context: SamplingContext) throws(LacunaError) -> Int {
    let total = try weights()
    var random = context.random
    return LogitKernels.index(of: random.uniform() * total, in: scratch.weights, count)
  }
}
