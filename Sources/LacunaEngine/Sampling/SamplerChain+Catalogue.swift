extension SamplerChain {
  /// Every native stage with its parameters: filters, then selectors.
  public static var catalogue: [StageSchema] { NativeStages.catalogue }

  /// The stages of a generation for which nobody wrote a chain; nil leaves a stage out, temperature 0 is greedy.
  public static func `default`(
    temperature: Double = 0.8, topK: Int? = nil, topP: Double? = 0.95, minP: Double? = 0.05,
    repetition: Double? = nil
  ) -> [StageDescription] {
    var stages: [StageDescription] = []
    if let repetition { stages.append(StageDescription("penalties", ["repetition": .number(repetition)])) }
    guard temperature != 0 else { return stages + [StageDescription("greedy")] }
    if let topK { stages.append(StageDescription("top_k", ["k": .number(Double(topK))])) }
    if let topP { stages.append(StageDescription("top_p", ["p": .number(topP)])) }
    if let minP { stages.append(StageDescription("min_p", ["p": .number(minP)])) }
    stages.append(StageDescription("temperature", ["t": .number(temperature)]))
    return stages + [StageDescription("dist")]
  }
}
