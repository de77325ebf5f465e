/// A trace in the making, pass by pass; see `Session.trace`.
public final class TraceWork: Work {
  /// Whole once the work is done.
  public let trace: Trace
  private let session: Session
  private let start: Int
  private let evaluatedBefore: Int
  private var request: PassRequest?

  /// The session stays as it is: the work is done on a fork of it.
  /// - Throws: as `Session.trace`.
  public convenience init(of session: Session, _ request: Trace.Request) throws(LacunaError) {
    guard session.count > 0 else {
      throw LacunaError(.invalidArgument, "an empty session has nothing to trace: append a token first")
    }
    try self.init(request, on: try session.forkForTrace())
  }

  /// - Parameter session: what comes out of its evaluated tokens is evaluated again.
  init(_ request: Trace.Request, on session: Session) throws(LacunaError) {
    trace = try Trace(request, tokens: session.tokens, config: session.engine.config)
    self.session = session
    session.evaluateAgain(from: trace.positions.first ?? .max)
    start = session.evaluatedCount
    evaluatedBefore = session.evaluatedTotal
  }

  /// Makes its passes for this work alone.
  /// - Throws: as `advance`.
  func finish() throws(LacunaError) -> Trace {
    while let next = try nextRequest() { try session.engine.runner.run([next]) }
    return trace
  }

  /// - Throws: `cancelled` where the session's `onProgress` says so; what a pass failed with.
  public func advance() throws -> [PassRequest]? {
    if let request, let waiting = try [request].waiting() { return waiting }
    request = try nextRequest()
    return request.map { [$0] }
  }

  /// From the first wanted position, or the first token that was never evaluated, to the last wanted one.
  private func nextRequest() throws(LacunaError) -> PassRequest? {
    guard let last = trace.positions.last, session.evaluatedCount <= last else {
      trace.evaluatedCount = session.evaluatedTotal - evaluatedBefore
      return nil
    }
    let (done, total) = (session.evaluatedCount - start, last + 1 - start)
    if done > 0, session.onProgress?(done, total) == false {
      throw LacunaError(.cancelled, "cancelled after \(done) of \(total) tokens")
    }
    return PassRequest(
      session: session, end: trace.windowEnd(from: session.evaluatedCount, end: last + 1), trace: trace)
  }
}

/// What is missing for a state of a session's last position; see `Session.hidden` and `Session.lens`.
package final class LastStateWork: Work {
  private let session: Session
  private let kind: LastStates.Kind
  private let layer: Int
  private var request: PassRequest?
  /// Where the logits were there already: the last token is run once more, to the same bits, and nothing that was looked
  /// at before is stale.
  private var epoch: UInt64?

  package init(_ session: Session, _ kind: LastStates.Kind, layer: Int) {
    self.session = session
    self.kind = kind
    self.layer = layer
  }

  /// - Throws: as `Session.hidden`.
  package func advance() throws -> [PassRequest]? {
    if request == nil {
      guard let made = try session.stateRequest(kind, layer: layer) else { return nil }
      request = made
      if !made.wantsLogits { epoch = session.epoch }
    }
    if let waiting = try request.map({ try [$0].waiting() }) ?? nil { return waiting }
    if let epoch { session.restore(epoch: epoch) }
    return nil
  }
}
