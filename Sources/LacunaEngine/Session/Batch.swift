/// One forward pass over what is pending in many sessions.
///
/// Weights are read once for each engine among them. Results are those that each session would have had alone, to
/// the last bit.
public enum Batch {
  /// Makes the logits of every session current.
  /// - Throws: as `Session.logits()`.
  public static func forward(_ sessions: [Session]) throws(LacunaError) {
    try run(try requests(forLogitsOf: sessions))
  }

  /// What is missing for the logits of every session.
  static func requests(forLogitsOf sessions: [Session]) throws(LacunaError) -> [PassRequest] {
    var requests: [PassRequest] = []
    for session in sessions where !requests.contains(where: { $0.session === session }) {
      if let request = try session.logitsRequest() { requests.append(request) }
    }
    return requests
  }

  /// Makes keys and values of every pending token, and no logits. Sessions must be distinct.
  public static func evaluate(_ sessions: [Session]) throws(LacunaError) {
    try run(sessions.map { PassRequest(session: $0, end: $0.count) })
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
    try run(requests)
    return requests.map { Array($0.scores) }
  }

  private static func run(_ requests: [PassRequest]) throws(LacunaError) {
    for requests in byEngine(requests) { try requests[0].session.engine.runner.run(requests) }
  }

  /// One pass for each engine among the requests, over the first tokens that are still to do.
  static func advance(_ requests: [PassRequest]) {
    for requests in byEngine(requests) { requests[0].session.engine.runner.advance(requests) }
  }

  private static func byEngine(_ requests: [PassRequest]) -> [[PassRequest]] {
    var rest = requests
    var groups: [[PassRequest]] = []
    while let engine = rest.first?.session.engine {
      groups.append(rest.filter { $0.session.engine === engine })
      rest.removeAll { $0.session.engine === engine }
    }
    return groups
  }
}
