/// Tail-free sampling (Phénix and Egan 2019; Bricken 2019): ranks tokens by probability and cuts where the curve has
/// flattened: where its absolute second differences, scaled to a sum of 1, have added up to more than z. A second
/// difference counts for the token in its middle, so that the first token always stays and the last one goes.
struct TailFree: LimitedFilter {
  static let schema = limitedSchema(
    "tfs", "drops the flat tail of the ranked probabilities (tail-free sampling)",
    .number("z", 0.95, 0...1, "the share of the curvature to keep; 1 is off"))

  let limit: CutLimit

  func apply(_ candidates: inout Candidates, _ context: SamplingContext) throws(LacunaError) {
    let survivors = try candidates.range().survivors
    guard limit.strength < 1, survivors > 2 else { return }
    _ = try candidates.weights()
    // The scale is the whole curve's, so every token is ranked: the one filter that has to sort a vocabulary.
    let order = UnsafeMutableBufferPointer(
      start: candidates.scratch.positions, count: try candidates.bestPositions(survivors))
    Selection.sort(order, by: UnsafePointer(candidates.logits))
    let weights = candidates.scratch.weights
    func curvature(_ rank: Int) -> Double {
      let (a, b, c) = (weights[Int(order[rank - 1])], weights[Int(order[rank])], weights[Int(order[rank + 1])])
      return abs((Double(a) - Double(b)) - (Double(b) - Double(c)))
    }
    var total = 0.0
    for rank in 1..<(survivors - 1) { total += curvature(rank) }
    // Equal probabilities have no tail.
    guard total > 0 else { return }
    var (kept, running) = (1, 0.0)
    while kept < survivors - 1 {
      running += curvature(kept)
      if running > limit.strength * total { break }
      kept += 1
    }
    try candidates.keepBest(max(kept, limit.minKeep))
  }
}
