/// One forward pass over what is pending in many sessions.
///
/// Weights are read once for each engine among them. Results are those that each session would have had alone, to
/// the last bit.
public enum Batch {
  /// Makes the logits of every session current.
  /// - Throws: as `Session.logits()`.
  public static func forward(_ sessions: [Session]) throws(LacunaError) {
    guard areDistinct(sessions) else { return try forward(distinct(sessions)) }
    for session in sessions { _ = try session.logitsItem() }
    // Made anew wherever they are looked at: a list of them would be memory for each token.
    try run(sessions.lazy.map { PassItem(session: $0, end: $0.count, wantsLogits: true) })
  }

  /// What is missing for the logits of every session.
  static func requests(forLogitsOf sessions: [Session]) throws(LacunaError) -> [PassRequest] {
    var requests: [PassRequest] = []
    for session in distinct(sessions) {
      if let request = try session.logitsRequest() { requests.append(request) }
    }
    return requests
  }

  /// Makes keys and values of every pending token, and no logits. Sessions must be distinct.
  public static func evaluate(_ sessions: [Session]) throws(LacunaError) {
    try run(sessions.lazy.map { PassItem(session: $0, end: $0.count) })
  }

  /// Appends to each session its continuation and scores every token of it. Sessions must be distinct and not empty.
  /// The last token of each stays pending.
  /// - Throws: as `Session.append`. Sessions before the one at fault keep their continuations.
  public static func score(_ items: [(session: Session, ids: [TokenID])]) throws(LacunaError) -> [[TokenScore]] {
    var requests: [PassRequest] = []
    for (session, ids) in items {
      guard session.count > 0 else {
        throw LacunaError(.invalidArgument, "an empty session cannot score: append a token first")
      }
      let start = session.count
      try session.append(ids)
      requests.append(session.scoreRequest(from: start))
    }
    try run(requests.lazy.map(\.item))
    return requests.map { Array($0.scores) }
  }

  /// A runner does what is its engine's.
  private static func run(_ items: some RandomAccessCollection<PassItem>) throws(LacunaError) {
    for item in items where item.session.evaluatedCount < item.rowEnd { try item.session.engine.runner.run(items) }
  }

  /// One pass for each engine among the requests, over the first tokens that are still to do.
  static func advance(_ requests: [PassRequest]) {
    var rest = requests
    while let engine = rest.first?.session.engine {
      engine.runner.advance(rest.filter { $0.session.engine === engine })
      rest.removeAll { $0.session.engine === engine }
    }
  }

  private static func areDistinct(_ sessions: [Session]) -> Bool {
    for (index, session) in sessions.enumerated() {
      for other in sessions[..<index] where other === session { return false }
    }
    return true
  }

  private static func distinct(_ sessions: [Session]) -> [Session] {
    var known: Set<ObjectIdentifier> = []
    return sessions.filter { known.insert(ObjectIdentifier($0)).inserted }
  }
}
