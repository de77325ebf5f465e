extension SamplerChain {
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
}

extension SamplerChain.ExternalStage {
  public var keepsArgmax: Bool { false }
}
