/// Filters in the user's order, then one selector.
///
/// A value: a copy has its own state (a fork of the sequence takes a copy of the chain), whatever scripts' stages hold.
/// Memory for a vocabulary is allocated with the first token and kept; drawing allocates nothing after that.
public struct SamplerChain {
  /// A stage that lives outside the engine (a script's). It edits logits in place, or selects.
  public protocol ExternalStage: AnyObject {
    var isSelector: Bool { get }
    /// See `StageSchema.keepsArgmax`. False unless the stage promises it.
    var keepsArgmax: Bool { get }
    /// Edits `logits` ([vocabSize], -inf is masked) in place.
    func apply(_ logits: UnsafeMutableBufferPointer<Float>, _ context: SamplingContext) throws
    /// For a selector: the chosen token.
    func pick(_ logits: UnsafeMutableBufferPointer<Float>, _ context: SamplingContext) throws -> TokenID
    /// Told of the token that was chosen in the end.
    func accept(_ token: TokenID) throws
    /// A copy with its own state. Called when one of two copies of a chain is first used.
    func fork() throws -> any ExternalStage
    /// Back to the state after `count` accepted tokens.
    func rewind(toAccepted count: Int) throws
  }

  public enum Stage {
    case native(StageDescription)
    case external(name: String, any ExternalStage)
  }

  /// What a stage left over, from `explain`.
  public struct StageReport: Sendable, Equatable {
    /// "input" for the logits as they came.
    public let name: String
    /// Tokens that can still be drawn.
    public let survivors: Int
    /// Of their distribution, in nats.
    public let entropy: Double
    /// The most probable ones, best first, and their probabilities.
    public let topTokens: [TokenID]
    public let topProbabilities: [Double]
  }

  /// Every native stage.
  public static var catalogue: [StageSchema] { fatalError("in progress") }

  public var vocabularySize: Int { fatalError("in progress") }
  /// How many tokens were accepted.
  public var acceptedCount: Int { fatalError("in progress") }

  /// - Throws: `invalidArgument` naming the stage and parameter: unknown names (with the nearest valid one), values
  ///   out of range, no selector, two selectors, anything after the selector.
  public init(_ stages: [Stage], vocabularySize: Int, tokenizer: (any Tokenizer)? = nil) throws(LacunaError) {
    fatalError("in progress")
  }

  /// A chain of native stages.
  public init(
    _ stages: [StageDescription], vocabularySize: Int, tokenizer: (any Tokenizer)? = nil
  ) throws(LacunaError) {
    try self.init(stages.map { .native($0) }, vocabularySize: vocabularySize, tokenizer: tokenizer)
  }

  /// Draws a token from `logits` ([vocabSize]), which it may change. The draw is a pure function of the logits, the
  /// chain's state and the context's seed, stream and position.
  /// - Throws: `notFinite` naming the token for NaN and +inf, or when every token is masked; what a script's stage throws.
  public mutating func sample(
    _ logits: UnsafeMutableBufferPointer<Float>, _ context: SamplingContext
  ) throws -> TokenID { fatalError("in progress") }

  /// Records that `token` was appended to the sequence.
  public mutating func accept(_ token: TokenID) throws { fatalError("in progress") }

  /// Back to the state after `count` accepted tokens.
  public mutating func rewind(toAccepted count: Int) throws { fatalError("in progress") }

  /// What each stage would leave over, the selector's choice last. Changes neither `logits` nor the chain's state.
  public func explain(
    _ logits: UnsafeBufferPointer<Float>, _ context: SamplingContext, top: Int = 5
  ) throws -> [StageReport] { fatalError("in progress") }

  /// `"top_k:k=40 temperature:t=0.8 dist"` as on the command line.
  public static func parse(_ text: String) throws(LacunaError) -> [StageDescription] { fatalError("in progress") }

  /// The stages of a generation for which nobody wrote a chain; nil leaves a stage out, temperature 0 is greedy.
  public static func `default`(
    temperature: Double = 0.8, topK: Int? = nil, topP: Double? = 0.95, minP: Double? = 0.05,
    repetition: Double? = nil
  ) -> [StageDescription] { fatalError("in progress") }
}

extension SamplerChain.ExternalStage {
  public var keepsArgmax: Bool { false }
}
