/// Chooses the most probable token; the lowest id among equals.
struct Greedy: SelectorStage {
  static let schema = StageSchema(
    name: "greedy", isSelector: true, keepsArgmax: true, meaning: "chooses the most probable token", parameters: [])

  init() {}
  init(_ parameters: StageParameters, _ environment: StageEnvironment) {}

  func pick(_ candidates: inout Candidates, _ context: SamplingContext) throws(LacunaError) -> TokenID {
    candidates.id(at: try candidates.best())
  }
}
