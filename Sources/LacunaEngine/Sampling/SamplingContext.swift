/// What a stage may look at. Borrows the session's tokens: valid only while the call that it was passed to runs.
public struct SamplingContext {
  /// Prompt and generated tokens so far.
  public var tokens: UnsafeBufferPointer<TokenID>
  /// How many of them are the prompt's.
  public var promptCount: Int
  public var seed: UInt64
  public var stream: UInt64
  /// The stage's own sequence of random numbers: 0 for the selector, n for the n-th filter (set by the chain). A filter
  /// added in front of a selector does not change the selector's draws.
  public internal(set) var lane: Int = 0

  public init(tokens: UnsafeBufferPointer<TokenID>, promptCount: Int, seed: UInt64, stream: UInt64) {
    self.tokens = tokens
    self.promptCount = promptCount
    self.seed = seed
    self.stream = stream
  }

  /// The place of the token that is being chosen.
  public var position: Int { tokens.count }

  /// The random numbers of this stage at this position, from the first one.
  public var random: SeededRandom {
    SeededRandom(
      seed: seed, stream: stream, position: UInt32(truncatingIfNeeded: position), draw: UInt32(lane) << 24)
  }
}
