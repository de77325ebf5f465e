/// One timeline over an engine: tokens, their keys and values, and the logits after the last of them.
///
/// A session has one owner and is driven by one thread at a time. Appending is free: the forward pass runs when
/// logits are asked for, so that several sessions can share one (`Batch.forward`).
public final class Session {
  public let engine: Engine

  /// Every token, evaluated or pending.
  public var tokens: [TokenID] { fatalError("in progress") }
  public var count: Int { fatalError("in progress") }
  /// Tokens that no forward pass has seen yet.
  public var pendingCount: Int { fatalError("in progress") }
  /// Changes whenever the logits or the tokens do: a view taken at another epoch is stale. The address is stable
  /// for the session's lifetime.
  public var epochAddress: UnsafePointer<UInt64> { fatalError("in progress") }
  public var epoch: UInt64 { epochAddress.pointee }

  init() { fatalError("in progress") }

  /// Adds tokens to the end.
  /// - Throws: `invalidArgument` for an id outside the vocabulary, `contextFull` beyond the model's context; the
  ///   session is unchanged then.
  public func append(_ ids: some Collection<TokenID>) throws(LacunaError) { fatalError("in progress") }
  public func append(_ id: TokenID) throws(LacunaError) { fatalError("in progress") }

  /// Logits after the last token, [vocabSize]; runs the pending forward pass. Valid until the epoch changes; the
  /// address is the same every time.
  /// - Throws: `invalidArgument` for an empty session, `notFinite`, `cancelled`.
  public func logits() throws(LacunaError) -> UnsafeBufferPointer<Float> { fatalError("in progress") }

  /// Appends `ids` and returns the natural logarithm of the probability of each of them given all before it.
  /// The session must not be empty.
  public func logProbabilities(appending ids: [TokenID]) throws(LacunaError) -> [Float] { fatalError("in progress") }

  /// Keeps the first `count` tokens. O(1): pages stay until others need them.
  public func rewind(to count: Int) { fatalError("in progress") }

  /// A second timeline with the same past; keys and values are shared until one of the two changes them.
  public func fork() -> Session { fatalError("in progress") }

  /// Writes tokens, keys and values, beside `path` first and then renamed, with the model's fingerprint.
  public func save(to path: String) throws(LacunaError) { fatalError("in progress") }

  /// - Throws: `malformed` or `invalidArgument` naming the file, and model or format where they differ.
  public static func restore(from path: String, engine: Engine) throws(LacunaError) -> Session {
    fatalError("in progress")
  }

  /// Reported while a long prompt is evaluated: tokens done and in all. Return false to cancel.
  public var onProgress: ((Int, Int) -> Bool)?
}

/// One forward pass over the pending tokens of many sessions.
public enum Batch {
  /// Evaluates what is pending in each session; weights are read once for each engine among them. The logits of
  /// each are then the ones it would have had alone, to the last bit.
  public static func forward(_ sessions: [Session]) throws(LacunaError) { fatalError("in progress") }
}
