/// Divides logits by a temperature. 0 is greedy: only the most probable token (the lowest id among equals) stays.
struct Temperature: FilterStage {
  static let schema = StageSchema(
    name: "temperature", isSelector: false, keepsArgmax: true,
    meaning: "divides logits by t: below 1 sharpens, above 1 flattens",
    parameters: [.number("t", 0.8, 0...100, "the temperature; 0 is greedy")])

  /// Colder than this no difference between two logits of single precision survives e^x.
  static let coldest = 1e-6

  private let t: Double

  init(_ parameters: StageParameters, _ environment: StageEnvironment) {
    t = parameters.number("t")
  }

  func apply(_ candidates: inout Candidates, _ context: SamplingContext) throws(LacunaError) {
    try candidates.cool(to: t)
  }
}

extension Candidates {
  mutating func cool(to temperature: Double) throws(LacunaError) {
    if temperature < Temperature.coldest {
      keepOnly(try best())
    } else if temperature != 1 {
      try divide(by: Float(temperature))
    }
  }
}
