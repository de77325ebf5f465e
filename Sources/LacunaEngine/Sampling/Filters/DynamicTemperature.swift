#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Entropy-based temperature (kalomaze 2023): t - range where the model is certain, t + range where it is not, between
/// them by (entropy / greatest possible entropy)^exponent. The entropy is that of the survivors of earlier filters.
struct DynamicTemperature: FilterStage {
  static let schema = StageSchema(
    name: "dynatemp", isSelector: false, keepsArgmax: true,
    meaning: "a temperature between t - range and t + range that rises with the entropy",
    parameters: [
      .number("t", 0.8, 0...100, "the middle"),
      .number("range", 0.5, 0...100, "how far to either side; below 0 the temperature is 0"),
      .number("exponent", 1, 0.01...100, "above 1 keeps the temperature low for longer"),
    ])

  private let lowest: Double
  private let highest: Double
  private let exponent: Double

  init(_ parameters: StageParameters, _ environment: StageEnvironment) {
    let (t, range) = (parameters.number("t"), parameters.number("range"))
    lowest = max(0, t - range)
    highest = t + range
    exponent = parameters.number("exponent")
  }

  func apply(_ candidates: inout Candidates, _ context: SamplingContext) throws(LacunaError) {
    let survivors = try candidates.range().survivors
    guard survivors > 1 else { return }
    // Rounding may lift a flat distribution's entropy above its bound.
    let uncertainty = min(1, try candidates.entropy() / log(Double(survivors)))
    try candidates.cool(to: lowest + (highest - lowest) * pow(uncertainty, exponent))
  }
}
