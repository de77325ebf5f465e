/// A generation in progress: draws tokens from a session, one `next` at a time.
public struct Generation {
  public struct Options {
    public var maxTokens: Int?
    /// Text that ends the generation; it is not part of the result.
    public var stop: [String] = []
    /// Called with the scratch logits before the sampler chain.
    public var onLogits: ((UnsafeMutableBufferPointer<Float>, Int) throws -> Void)?
    /// Called with the chosen token and its log-probability under the unmodified logits.
    public var onToken: ((TokenID, Float) throws -> TokenDecision)?
    /// Called with whole UTF-8 text; what it returns is emitted instead.
    public var onText: ((String) throws -> String)?

    public init() {}
  }

  public enum TokenDecision: Equatable {
    case keep
    case replace(TokenID)
    case stop
    /// Drops the last `n` generated tokens (the chosen one is not among them) and goes on from there.
    case rewind(Int)
  }

  public enum Finish: String, Sendable {
    /// The model ended its answer.
    case eos
    /// A stop text, or a hook.
    case stop
    /// `maxTokens` were drawn.
    case length
    /// The model's context is full.
    case context
    /// The caller asked to stop.
    case cancelled
  }

  public struct Event: Sendable {
    public let token: TokenID
    public let logProbability: Float
    /// Whole UTF-8; empty while a character is incomplete or a stop text may be under way.
    public let text: String
    /// Set on the last event only, which may carry the held-back text and no token of its own (`token` is -1).
    public let finish: Finish?
  }
}
