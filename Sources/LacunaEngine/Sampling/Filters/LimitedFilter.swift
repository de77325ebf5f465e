/// What a stage that cuts is told, whatever it cuts by: how hard, and how few tokens it may leave.
struct CutLimit {
  let strength: Double
  let minKeep: Int
}

/// A filter that takes two parameters: its own, which comes first, and `min_keep`.
protocol LimitedFilter: FilterStage {
  init(limit: CutLimit)
}

extension LimitedFilter {
  init(_ parameters: StageParameters, _ environment: StageEnvironment) {
    self.init(
      limit: CutLimit(
        strength: parameters.number(Self.schema.parameters[0].name), minKeep: parameters.integer("min_keep")))
  }

  /// - Parameter parameter: the one that comes first.
  static func limitedSchema(
    _ name: String, _ meaning: String, keepsArgmax: Bool = true, _ parameter: StageSchema.Parameter
  ) -> StageSchema {
    StageSchema(
      name: name, isSelector: false, keepsArgmax: keepsArgmax, meaning: meaning, parameters: [parameter, .minKeep])
  }
}
