/// Something that goes on by itself until it needs a forward pass, and goes on from there when that was made.
///
/// Who owns several pieces of work makes the passes of all of them together: `WorkGroup` is the piece of work that does
/// it, `run` drives one to its end. Results do not depend on the company.
public protocol Work: AnyObject {
  /// Goes on as far as it can without a pass.
  ///
  /// To be called again when at least one of the requests is done.
  /// - Returns: everything that it waits for, none of it done; nil when it is finished.
  func advance() throws -> [PassRequest]?
}

extension Work {
  /// Runs the work alone, pass by pass, until it is finished.
  /// - Parameter isCancelled: asked before each pass.
  /// - Throws: what the work throws; `cancelled`.
  public func run(isCancelled: () -> Bool = { false }) throws {
    while let requests = try advance() {
      if isCancelled() { throw LacunaError(.cancelled, "interrupted") }
      Batch.advance(requests)
    }
  }
}

/// What is missing for the logits of some sessions.
public final class LogitsWork: Work {
  private let sessions: [Session]
  private var requests: [PassRequest]?

  public init(_ sessions: [Session]) { self.sessions = sessions }

  /// - Throws: as `Session.logits()`.
  public func advance() throws -> [PassRequest]? {
    let all = try requests ?? Batch.requests(forLogitsOf: sessions)
    requests = all
    return try all.waiting()
  }
}

/// A generation, event by event.
public final class GenerationWork: Work {
  private var generation: Generation
  private var request: PassRequest?
  private let onEvent: (Generation.Event) throws -> Void

  /// - Parameter onEvent: gets each event once it is there.
  public init(_ generation: consuming Generation, onEvent: @escaping (Generation.Event) throws -> Void) {
    self.generation = generation
    self.onEvent = onEvent
  }

  /// - Throws: as `Generation.next`, and what `onEvent` throws.
  public func advance() throws -> [PassRequest]? {
    while true {
      if let request, let waiting = try [request].waiting() { return waiting }
      request = try generation.pendingPass()
      if request != nil { continue }
      guard let event = try generation.next() else { return nil }
      try onEvent(event)
    }
  }
}

extension [PassRequest] {
  /// Those that are not done; nil where all are.
  /// - Throws: what one of them failed with.
  package func waiting() throws(LacunaError) -> [PassRequest]? {
    for request in self { if let failure = request.failure { throw failure } }
    let rest = filter { !$0.isDone }
    return rest.isEmpty ? nil : rest
  }
}
