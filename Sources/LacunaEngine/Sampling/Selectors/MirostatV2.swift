#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Mirostat 2 (Basu et al. 2021, the authors' simplification): drops tokens whose surprise exceeds mu, all but the most
/// probable one, and draws from the rest.
struct MirostatV2: SelectorStage {
  static let schema = StageSchema(
    name: "mirostat_v2", isSelector: true, keepsArgmax: false,
    meaning: "draws so that the surprise stays near tau (Mirostat 2)", parameters: SurpriseTarget.parameters)

  private var target: SurpriseTarget

  init(_ parameters: StageParameters, _ environment: StageEnvironment) {
    target = SurpriseTarget(parameters)
  }

  mutating func pick(_ candidates: inout Candidates, _ context: SamplingContext) throws(LacunaError) -> TokenID {
    let total = try candidates.weights()
    let highest = try candidates.range().highest
    // Surprise <= mu: a weight of at least total * 2^-mu.
    try candidates.keep(
      atLeast: Float(total * exp2(-target.mu)), in: candidates.scratch.weights, minimum: 1)
    let position = try candidates.draw(context)
    let token = candidates.id(at: position)
    target.drew(token, surprise: log2(total) + Double(highest - candidates.logits[position]) * log2(M_E))
    return token
  }

  mutating func accept(_ token: TokenID) { target.accept(token) }
  mutating func rewind(toAccepted count: Int) { target.rewind(toAccepted: count) }
}
