/// Keeps the k most probable tokens (Fan et al. 2018). Exactly k: of equal logits the lower id stays.
struct TopK: FilterStage {
  static let schema = StageSchema(
    name: "top_k", isSelector: false, keepsArgmax: true, meaning: "keeps the k most probable tokens",
    parameters: [.integer("k", 40, 0...10_000_000, "how many; 0 is all of them")])

  private let k: Int

  init(_ parameters: StageParameters, _ environment: StageEnvironment) {
    k = parameters.integer("k")
  }

  func apply(_ candidates: inout Candidates, _ context: SamplingContext) throws(LacunaError) {
    if k > 0 { try candidates.keepBest(k) }
  }
}
