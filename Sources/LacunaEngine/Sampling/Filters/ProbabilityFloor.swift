#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A filter that keeps tokens of some probability or more, which it derives from the distribution. Strength 0 is off.
protocol ProbabilityFloor: LimitedFilter {
  var limit: CutLimit { get }
  /// The probability that a token must have.
  func floor(_ candidates: inout Candidates) throws(LacunaError) -> Double
}

extension ProbabilityFloor {
  func apply(_ candidates: inout Candidates, _ context: SamplingContext) throws(LacunaError) {
    guard limit.strength > 0 else { return }
    let threshold = try floor(&candidates) * (try candidates.weights())
    try candidates.keep(atLeast: Float(threshold), in: candidates.scratch.weights, minimum: limit.minKeep)
  }
}

/// Epsilon sampling (Hewitt, Manning and Liang 2022): keeps tokens of at least an absolute probability.
struct Epsilon: ProbabilityFloor {
  static let schema = limitedSchema(
    "epsilon", "keeps tokens of probability epsilon or more",
    .number("epsilon", 3e-4, 0...1, "the probability; 0 is off"))

  let limit: CutLimit

  func floor(_ candidates: inout Candidates) -> Double { limit.strength }
}

/// Eta sampling (Hewitt, Manning and Liang 2022): an epsilon that falls where the entropy is high, keeping
/// probabilities of min(epsilon, sqrt(epsilon) * e^-entropy) or more.
struct Eta: ProbabilityFloor {
  static let schema = limitedSchema(
    "eta", "keeps tokens of a probability that depends on the entropy or more",
    .number("epsilon", 2e-3, 0...1, "the probability at low entropy; 0 is off"))

  let limit: CutLimit

  func floor(_ candidates: inout Candidates) throws(LacunaError) -> Double {
    min(limit.strength, limit.strength.squareRoot() * exp(-(try candidates.entropy())))
  }
}

/// Top-a (BlinkDL, RWKV-LM 2022): keeps probabilities of a * (the highest one)^2 or more, so that a certain model is cut
/// hard and an uncertain one hardly.
struct TopA: ProbabilityFloor {
  static let schema = limitedSchema(
    "top_a", "keeps tokens of probability a times the square of the highest one, or more",
    .number("a", 0.2, 0...1, "the factor; 0 is off"))

  let limit: CutLimit

  func floor(_ candidates: inout Candidates) throws(LacunaError) -> Double {
    // The most probable token's weight is 1.
    let highest = 1 / (try candidates.weights())
    return limit.strength * highest * highest
  }
}
