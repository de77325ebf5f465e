extension RoPEScaling {
  /// Both spellings: `rope_parameters` with everything in it (transformers 5), and `rope_theta` beside `rope_scaling`.
  static func parse(
    _ config: JSONFields, maxPositionEmbeddings: Int
  ) throws(LacunaError) -> (theta: Double, scaling: RoPEScaling) {
    let thetaRange = ModelConfig.Limit.ropeTheta
    let outerTheta = try config.double("rope_theta", in: thetaRange)
    let (old, new) = (try config.object("rope_scaling"), try config.object("rope_parameters"))
    if old != nil, new != nil, config["rope_scaling"] != config["rope_parameters"] {
      throw config.refusal("rope_parameters", "the same as rope_scaling", "another object")
    }
    guard let fields = new ?? old else { return (outerTheta ?? 10_000, .none) }
    // A member that we do not know could change every position: yarn's beta_fast, mrope_section, factors by layer type.
    let known = [
      "type", "rope_type", "rope_theta", "factor", "low_freq_factor", "high_freq_factor",
      "original_max_position_embeddings", "partial_rotary_factor",
    ]
    let name = try typeName(fields)
    let scaling = try parse(name, fields, maxPositionEmbeddings)
    for field in fields.names where !known.contains(field) {
      throw fields.refusal(field, known.joined(separator: ", "), "another member", .unsupported)
    }
    try fields.expect("partial_rotary_factor", .integer(1), .double(1))
    let innerTheta = try fields.double("rope_theta", in: thetaRange)
    if let innerTheta, let outerTheta, innerTheta != outerTheta {
      throw fields.refusal("rope_theta", "\(outerTheta), as rope_theta says", "\(innerTheta)")
    }
    return (innerTheta ?? outerTheta ?? 10_000, scaling)
  }

  private static func typeName(_ fields: JSONFields) throws(LacunaError) -> String {
    let (new, old) = (try fields.string("rope_type"), try fields.string("type"))
    if let new, let old, new != old {
      throw fields.refusal("type", "\"\(new.clipped)\", as rope_type says", "\"\(old.clipped)\"")
    }
    guard let name = new ?? old else { throw fields.refusal("rope_type", "a string", "nothing") }
    return name
  }

  private static func parse(
    _ name: String, _ fields: JSONFields, _ maxPositionEmbeddings: Int
  ) throws(LacunaError) -> RoPEScaling {
    func number(_ field: String, in range: ClosedRange<Double> = ModelConfig.Limit.ropeFactor) throws(LacunaError)
      -> Double
    {
      guard let value = try fields.double(field, in: range) else {
        throw fields.refusal(field, "a number from \(range.lowerBound) to \(range.upperBound)", "nothing")
      }
      return value
    }
    let original = try fields.integer("original_max_position_embeddings", in: ModelConfig.Limit.positions)
    switch name {
    case "default": return .none
    case "linear": return .linear(factor: try number("factor"))
    case "dynamic":
      // transformers measures against max_position_embeddings and never reads the other field.
      if let original, original != maxPositionEmbeddings {
        throw fields.refusal(
          "original_max_position_embeddings", "\(maxPositionEmbeddings), as max_position_embeddings says",
          "\(original)",
          .unsupported)
      }
      return .dynamic(factor: try number("factor", in: 1...1024), originalMaxPositionEmbeddings: maxPositionEmbeddings)
    case "llama3":
      guard let original else { throw fields.refusal("original_max_position_embeddings", "an integer", "nothing") }
      let (low, high) = (try number("low_freq_factor"), try number("high_freq_factor"))
      guard low < high else {
        throw fields.refusal("high_freq_factor", "more than low_freq_factor (\(low))", "\(high)")
      }
      return .llama3(
        factor: try number("factor"), lowFreqFactor: low, highFreqFactor: high, originalMaxPositionEmbeddings: original)
    default:
      throw fields.refusal("rope_type", "default, linear, dynamic or llama3", "\"\(name.clipped)\"", .unsupported)
    }
  }
}
