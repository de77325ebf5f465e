/// Smoothing, or quadratic sampling (kalomaze 2024): replaces a logit's distance d <= 0 from the highest one by
/// factor * (-(3 - curve) / 2 * d^2 + (curve - 1) / 2 * d^3). Near the top it flattens, further down it cuts; a curve
/// above 1 mixes in the cube.
struct Smoothing: FilterStage {
  static let schema = StageSchema(
    // Rounding can make the two best equal.
    name: "smoothing", isSelector: false, keepsArgmax: false,
    meaning: "bends logits by the square of their distance from the highest (quadratic sampling)",
    parameters: [
      .number("factor", 0.3, 0...100, "how steep; 0 is off"),
      .number("curve", 1, 1...3, "1 is a parabola, 3 a cubic, between them a mixture"),
    ])

  private let factor: Float
  private let square: Float
  private let cube: Float

  init(_ parameters: StageParameters, _ environment: StageEnvironment) {
    factor = Float(parameters.number("factor"))
    let curve = Float(parameters.number("curve"))
    square = -factor * (3 - curve) / 2
    cube = factor * (curve - 1) / 2
  }

  func apply(_ candidates: inout Candidates, _ context: SamplingContext) throws(LacunaError) {
    guard factor > 0 else { return }
    let highest = try candidates.range().highest
    let logits = candidates.logits
    for position in 0..<candidates.count where logits[position] > -.infinity {
      let distance = logits[position] - highest
      let bent = (square + cube * distance) * distance * distance
      // A distance that single precision cannot square is as good as a mask.
      logits[position] = highest + max(bent, -.greatestFiniteMagnitude / 2)
    }
    try candidates.logitsChanged()
  }
}
