extension SamplerChain {
  /// Every native stage with its parameters: filters, then selectors.
  public static var catalogue: [StageSchema] { NativeStages.catalogue }

  /// What other programs call our stages.
  private static let otherNames = [
    "argmax": "greedy", "bias": "logit_bias", "dynamic_temperature": "dynatemp", "exclude_top_choices": "xtc",
    "frequency_penalty": "penalties", "mirostat_v1": "mirostat", "multinomial": "dist", "nucleus": "top_p",
    "presence_penalty": "penalties", "quadratic": "smoothing", "repeat_penalty": "penalties",
    "repetition_penalty": "penalties", "sample": "dist", "tail_free": "tfs", "temp": "temperature",
    "typical_p": "typical",
  ]

  /// " (did you mean "STAGE"?)" for a name that no stage has, or nothing.
  /// - Parameter more: stages besides the native ones.
  package static func hint(_ name: String, and more: [String] = []) -> String {
    let plain = String(name.lowercased().map { $0 == "-" ? "_" : $0 })
    if let native = otherNames[plain] { return " (did you mean \"\(native)\"?)" }
    return NearestName.hint(name, in: catalogue.map(\.name) + more)
  }

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
