/// How a checkpoint says that its FP8 weights are scaled: `value = code * scale`, one scale a tensor, row or block.
///
/// Weights only: what a scheme says of activations (static or dynamic scales, their granularity) is read and not
/// followed, for activations run in 16 bits, which loses less.
struct QuantizationScheme: Sendable {
  enum Granularity: Sendable, Equatable {
    case tensor
    /// One scale an output row.
    case channel
    case block(rows: Int, cols: Int)

    var name: String {
      switch self {
      case .tensor: "tensor"
      case .channel: "channel"
      case .block(let rows, let cols): "block \(rows)x\(cols)"
      }
    }
  }

  struct Group: Sendable {
    let targets: ModuleFilter
    let granularity: Granularity
  }

  /// "compressed-tensors float-quantized", "fp8", "fbgemm_fp8".
  let name: String
  let groups: [Group]
  let ignored: ModuleFilter
  /// Of the tensor beside `weight` that holds the scales; the first that exists counts.
  let scaleNames: [String]
  /// What the scheme asks for and the engine does without.
  let warnings: [String]

  var description: String {
    let granularities = groups.map(\.granularity.name)
    let distinct = granularities.indices.filter { granularities.firstIndex(of: granularities[$0]) == $0 }
    return "\(name), \(distinct.map { granularities[$0] }.joined(separator: " and ")), activations in 16 bits"
  }

  /// The granularity of a projection's weight; nil where the scheme leaves it alone.
  func granularity(ofLinear name: String, budget: inout NamePattern.Budget) throws(LacunaError) -> Granularity? {
    guard !(try ignored.matches(linear: name, budget: &budget)) else { return nil }
    for group in groups where try group.targets.matches(linear: name, budget: &budget) { return group.granularity }
    return nil
  }
}
