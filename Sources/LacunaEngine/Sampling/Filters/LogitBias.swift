/// Adds a constant to chosen tokens' logits; -inf bans a token.
struct LogitBias: FilterStage {
  static let schema = StageSchema(
    name: "logit_bias", isSelector: false, keepsArgmax: false, meaning: "adds a number to chosen tokens' logits",
    parameters: [
      StageSchema.Parameter(
        name: "bias", kind: .biases, defaultValue: .biases([:]), interval: 0...1,
        meaning: "token ids with what is added to each; -inf bans the token")
    ])

  private let biases: [(id: TokenID, bias: Float)]

  init(_ parameters: StageParameters, _ environment: StageEnvironment) throws(LacunaError) {
    biases = parameters.biases("bias").sorted { $0.key < $1.key }.map { (id: $0.key, bias: $0.value) }
    for (id, _) in biases where id < 0 || id >= environment.vocabularySize {
      throw LacunaError(
        .invalidArgument,
        "sampler stage \"logit_bias\", parameter \"bias\": expected token ids in 0..<\(environment.vocabularySize), "
          + "found \(id)")
    }
  }

  func apply(_ candidates: inout Candidates, _ context: SamplingContext) throws(LacunaError) {
    guard !biases.isEmpty else { return }
    let logits = candidates.logits
    for (id, bias) in biases {
      if let position = candidates.position(of: id) { logits[position] += bias }
    }
    try candidates.logitsChanged()
  }
}
