/// What a native stage is built from, beside its parameters.
struct StageEnvironment {
  var vocabularySize: Int
  var tokenizer: (any Tokenizer)?
}

/// A stage that cuts or reshapes the distribution. Immutable: what it does depends on the logits and the context alone.
protocol FilterStage: Sendable {
  static var schema: StageSchema { get }
  /// Whether these parameters keep the most probable token the most probable one.
  var keepsArgmax: Bool { get }
  /// - Parameter parameters: already checked against the schema.
  init(_ parameters: StageParameters, _ environment: StageEnvironment) throws(LacunaError)
  /// Leaves at least one candidate that is not masked.
  func apply(_ candidates: inout Candidates, _ context: SamplingContext) throws(LacunaError)
}

extension FilterStage {
  var keepsArgmax: Bool { Self.schema.keepsArgmax }
}

/// The stage that ends a chain. Its state, if any, is a value that can go back to any number of accepted tokens.
protocol SelectorStage: Sendable {
  static var schema: StageSchema { get }
  init(_ parameters: StageParameters, _ environment: StageEnvironment) throws(LacunaError)
  mutating func pick(_ candidates: inout Candidates, _ context: SamplingContext) throws(LacunaError) -> TokenID
  mutating func accept(_ token: TokenID)
  mutating func rewind(toAccepted count: Int)
}

extension SelectorStage {
  mutating func accept(_ token: TokenID) {}
  mutating func rewind(toAccepted count: Int) {}
}

enum NativeStages {
  static let filters: [any FilterStage.Type] = [
    Penalties.self, Dry.self, LogitBias.self, TopK.self, TopP.self, MinP.self, Typical.self, TopNSigma.self,
    ExcludeTopChoices.self, Epsilon.self, Eta.self, TopA.self, TailFree.self, NoRepeatNgram.self, Smoothing.self,
    Temperature.self, DynamicTemperature.self,
  ]
  static let selectors: [any SelectorStage.Type] = [
    Greedy.self, Distribution.self, Mirostat.self, MirostatV2.self, AdaptiveP.self,
  ]
  static let catalogue = filters.map { $0.schema } + selectors.map { $0.schema }
}
