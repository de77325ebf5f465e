/// One forward pass over what is pending in many sessions.
///
/// Weights are read once for each engine among them. Results are those that each session would have had alone, to
/// the last bit.
public enum Batch {
  /// Makes the logits of every session current.
  /// - Throws: as `Session.logits()`.
  public static func forward(_ sessions: [Session]) throws(LacunaError) {
    guard areDistinct(sessions) else { return try forward(distinct(sessions)) }
    for session in sessions { _ = try session.logitsRequest() }
    // Made anew wherever they are looked at: a list of them would be memory for each token.
    try run(sessions.lazy.map { PassRequest(session: $0, end: $0.count, wantsLogits: true) })
  }

  /// Makes keys and values of every pending token, and no logits. Sessions must be distinct.
  public static func evaluate(_ sessions: [Session]) throws(LacunaError) {
    try run(sessions.map { PassRequest(session: $0, end: $0.count) })
  }

  /// Appends to each session its continuation and scores every token of it. Sessions must be distinct and not empty.
  /// The last token of each stays pending.
  /// - Throws: as `Session.append`. Sessions before the one at fault keep their continuations.
  public static func score(_ items: [(session: Session, ids: [TokenID])]) throws(LacunaError) -> [[TokenScore]] {
    var starts: [Int] = []
    for (session, ids) in items {
      guard session.count > 0 else {
        throw LacunaError(.invalidArgument, "an empty session cannot score: append a token first")
      }
      starts.append(session.count)
      try session.append(ids)
    }
    let total = items.reduce(0) { $0 + $1.ids.count }
    let scores = UnsafeMutablePointer<TokenScore>.allocate(capacity: max(total, 1))
    scores.initialize(repeating: TokenScore(logProbability: 0, isGreedy: false), count: total)
    defer { scores.deallocate() }
    var requests: [PassRequest] = []
    var offset = 0
    for (index, item) in items.enumerated() where !item.ids.isEmpty {
      requests.append(item.session.scoreRequest(from: starts[index], into: scores + offset))
      offset += item.ids.count
    }
    try run(requests)
    var result: [[TokenScore]] = []
    offset = 0
    for item in items {
      result.append(Array(UnsafeBufferPointer(start: scores + offset, count: item.ids.count)))
      offset += item.ids.count
    }
    return result
  }

  /// A runner does what is its engine's.
  private static func run(_ requests: some RandomAccessCollection<PassRequest>) throws(LacunaError) {
    for request in requests where request.session.evaluatedCount < request.rowEnd {
      try request.session.engine.runner.run(requests)
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
