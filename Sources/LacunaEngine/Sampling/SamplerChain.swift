/// A stage of a sampler chain as a user writes it: `{"min_p", p = 0.05}`, `min_p:p=0.05`.
public struct StageDescription: Sendable, Equatable {
  public enum Value: Sendable, Equatable {
    case number(Double)
    case bool(Bool)
    case text(String)
    case numbers([Double])
    case texts([String])
    case biases([TokenID: Float])
  }

  public var name: String
  public var parameters: [String: Value]

  public init(_ name: String, _ parameters: [String: Value] = [:]) {
    self.name = name
    self.parameters = parameters
  }
}

/// What a stage may look at.
public struct SamplingContext {
  /// Prompt and generated tokens so far.
  public var tokens: [TokenID]
  /// How many of them are the prompt's.
  public var promptCount: Int
  public var seed: UInt64
  public var stream: UInt64

  public init(tokens: [TokenID], promptCount: Int, seed: UInt64, stream: UInt64) {
    self.tokens = tokens
    self.promptCount = promptCount
    self.seed = seed
    self.stream = stream
  }
}

/// Filters in the user's order, then one selector. A value: copying it forks its state.
public struct SamplerChain {
  /// A stage that lives outside the engine (a script's). It edits logits in place, or selects.
  public protocol ExternalStage: AnyObject {
    var isSelector: Bool { get }
    /// Edits `logits` ([vocabSize], -inf is masked) in place.
    func apply(_ logits: UnsafeMutableBufferPointer<Float>, _ context: SamplingContext) throws
    /// For a selector: the chosen token.
    func pick(_ logits: UnsafeMutableBufferPointer<Float>, _ context: SamplingContext) throws -> TokenID
    /// Told of the token that was chosen in the end.
    func accept(_ token: TokenID) throws
    /// A copy with its own state.
    func fork() -> any ExternalStage
    /// Back to the state after `count` accepted tokens.
    func rewind(toAccepted count: Int) throws
  }

  public enum Stage {
    case native(StageDescription)
    case external(name: String, any ExternalStage)
  }

  /// - Throws: `invalidArgument` naming the stage and parameter: unknown names (with the nearest valid one), values
  ///   out of range, no selector, two selectors, anything after the selector.
  public init(_ stages: [Stage], vocabularySize: Int, tokenizer: (any Tokenizer)? = nil) throws(LacunaError) {
    fatalError("in progress")
  }

  /// Draws a token from `logits` ([vocabSize]), which it may change. The draw is a pure function of the logits, the
  /// chain's state and the context's seed, stream and position.
  public mutating func sample(
    _ logits: UnsafeMutableBufferPointer<Float>, _ context: SamplingContext
  ) throws -> TokenID { fatalError("in progress") }

  /// Records that `token` was appended to the sequence.
  public mutating func accept(_ token: TokenID) throws { fatalError("in progress") }

  /// Back to the state after `count` accepted tokens.
  public mutating func rewind(toAccepted count: Int) throws { fatalError("in progress") }

  /// `"top_k:k=40 temperature:t=0.8 dist"` as on the command line.
  public static func parse(_ text: String) throws(LacunaError) -> [StageDescription] { fatalError("in progress") }
}
