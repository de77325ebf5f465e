/// Adaptive-p (MrJackSpade 2025; llama.cpp pull request 17927): prefers tokens whose probability is near a target, and
/// moves the target against the mean of what was drawn, so that this mean stays where it was asked for.
///
/// With p the probability among the survivors and d = |p - t| / 0.3, a token's new logit is 5 - 10 d^2 / (1 + d); t is
/// 2 target - mean, the mean being over tokens drawn before, the weight of each falling by `decay` a token.
struct AdaptiveP: SelectorStage {
  static let schema = StageSchema(
    name: "adaptive_p", isSelector: true, keepsArgmax: false,
    meaning: "draws so that the probability of the tokens drawn stays near a target",
    parameters: [
      .number("target", 0.5, 0...1, "the mean probability of what is drawn"),
      .number("decay", 0.9, 0...0.99, "how much of a token's weight in the mean is left one token later"),
    ])

  private static let width = 0.3
  private static let peak = 5.0
  private static let sharpness = 10.0

  private struct Mean {
    var sum: Double
    var weight: Double
  }

  private let target: Double
  private let decay: Double
  private var means: AcceptedHistory<Mean>

  init(_ parameters: StageParameters, _ environment: StageEnvironment) {
    target = parameters.number("target")
    decay = parameters.number("decay")
    // As if all tokens before had been on target.
    means = AcceptedHistory(Mean(sum: target / (1 - decay), weight: 1 / (1 - decay)))
  }

  mutating func pick(_ candidates: inout Candidates, _ context: SamplingContext) throws(LacunaError) -> TokenID {
    let total = try candidates.weights()
    let (logits, weights) = (candidates.logits, candidates.scratch.weights)
    let wanted = min(max(2 * target - means.current.sum / means.current.weight, 0), 1)
    // What is bent here is still needed for the mean.
    let probabilities = candidates.scratch.scores
    for position in 0..<candidates.count where logits[position] > -.infinity {
      let probability = Double(weights[position]) / total
      let distance = abs(probability - wanted) / Self.width
      probabilities[position] = Float(probability)
      logits[position] = Float(Self.peak - Self.sharpness * distance * distance / (1 + distance))
    }
    try candidates.logitsChanged()
    let position = try candidates.draw(context)
    let token = candidates.id(at: position)
    let mean = means.current
    means.drew(
      token, Mean(sum: Double(probabilities[position]) + decay * mean.sum, weight: 1 + decay * mean.weight))
    return token
  }

  mutating func accept(_ token: TokenID) { means.accept(token) }
  mutating func rewind(toAccepted count: Int) { means.rewind(toAccepted: count) }
}
