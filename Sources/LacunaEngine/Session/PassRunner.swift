import Synchronization

/// What a pass is to do for one session.
struct PassRequest {
  let session: Session
  /// Tokens before this count are evaluated.
  let end: Int
  /// Scores are wanted for the tokens from this index on; `scores[i]` is that of token `scoreFrom + i`.
  var scoreFrom = Int.max
  var scores: UnsafeMutablePointer<TokenScore>?
  /// Whether the logits after token `end - 1` are wanted.
  var wantsLogits = false
  /// Guesses to be evaluated behind `end`, in one pass with it, and where the logits after each of them go.
  var lookahead: Lookahead?

  /// Rows are for positions before this.
  var rowEnd: Int { end + (lookahead?.guesses.count ?? 0) }
}

/// Cuts work into passes of at most `Scratch.rowCapacity` tokens and runs them, one at a time for each engine.
///
/// Requests come as any collection, so that one of them, or one a session, needs no list: a token that is decoded
/// allocates nothing.
final class PassRunner: Sendable {
  private let pass: ForwardPass
  /// Held while `pass` and its scratch are in use.
  private let gate = Mutex<Void>(())
  private let team: ThreadTeam
  let scratchBytes: Int

  /// A pass over so many tokens tells of its progress, and can be stopped, between two layers.
  private static let longPass = 64

  init(model: LlamaModel, team: ThreadTeam) throws(LacunaError) {
    let scratch = try Scratch(model: model, threadCount: team.threadCount)
    scratchBytes = scratch.byteCount
    pass = ForwardPass(model: model, scratch: scratch)
    self.team = team
  }

  /// Evaluates every request of this engine to its end, in the order given.
  /// - Throws: `notFinite`; `cancelled` if a session's `onProgress` said so. What was evaluated before stays.
  func run(_ requests: some RandomAccessCollection<PassRequest>) throws(LacunaError) {
    var total = 0
    for request in requests where isOurs(request) { total += max(request.rowEnd - request.session.evaluatedCount, 0) }
    var done = 0
    while done < total {
      let before = done
      done += try gate.withLock { _ throws(LacunaError) in
        try runOnce(requests) { rows in self.report(requests, min(before + rows, total), total) }
      }
      if done < total, !report(requests, done, total) {
        throw LacunaError(.cancelled, "cancelled after \(done) of \(total) tokens")
      }
    }
    // Whoever was shown a beginning is shown the end.
    if total >= Self.longPass { _ = report(requests, total, total) }
  }

  /// Runs `body` on every thread of the team, when no pass does.
  func onEveryThread(_ body: @escaping (Int, Int) -> Void) {
    final class Body: TeamJob {
      let body: (Int, Int) -> Void
      init(_ body: @escaping (Int, Int) -> Void) { self.body = body }
      func run(thread: Int, of threadCount: Int, team: ThreadTeam) { body(thread, threadCount) }
    }
    team.run(Body(body))
  }

  private func isOurs(_ request: PassRequest) -> Bool { request.session.engine.runner === self }

  /// Tells every session how far the work is; false if one of them wants no more of it.
  private func report(_ requests: some RandomAccessCollection<PassRequest>, _ done: Int, _ total: Int) -> Bool {
    for request in requests where isOurs(request) && request.session.onProgress?(done, total) == false { return false }
    return true
  }

  /// One pass over the first tokens that are still to do; returns how many there were.
  /// - Parameter goesOn: asked between the layers of a long pass, with what has been done of its tokens.
  private func runOnce(
    _ requests: some RandomAccessCollection<PassRequest>, goesOn: (Int) -> Bool
  ) throws(LacunaError) -> Int {
    pass.clear()
    for (number, request) in requests.enumerated() where pass.rowCount < Scratch.rowCapacity && isOurs(request) {
      let session = request.session
      let start = session.evaluatedCount
      let end = min(request.rowEnd, start + Scratch.rowCapacity - pass.rowCount)
      guard start < end else { continue }
      // Pages may be replaced behind what is written.
      if request.lookahead == nil { session.lookahead?.keep(0) }
      try session.pages.prepareToWrite(positions: start..<end)
      add(request, number: number, start: start, end: end)
    }
    if pass.rowCount < Self.longPass {
      team.run(pass)
    } else {
      try runLong(goesOn)
    }
    func request(ofSegment index: Int) -> PassRequest {
      requests[requests.index(requests.startIndex, offsetBy: pass.scratch.segments[index].request)]
    }
    for index in 0..<pass.headRowCount where !pass.scratch.headRows[index].isFinite {
      let row = pass.scratch.rows[pass.scratch.headRows[index].row]
      let request = request(ofSegment: row.segment)
      let session = request.session
      if let lookahead = request.lookahead, row.position >= request.end {
        // Plain decoding would perhaps never see these.
        lookahead.keep(row.position - request.end)
        continue
      }
      session.forgetKeysAndValues()
      throw LacunaError(
        .notFinite,
        "\(session.engine.info.name): the logits after position \(row.position + 1) (token \(row.token)) are not finite"
      )
    }
    for index in 0..<pass.segmentCount {
      let request = request(ofSegment: index)
      let end = pass.scratch.segments[index].endPosition
      request.session.didEvaluate(
        upTo: min(end, request.end), hasLogits: request.wantsLogits && end >= request.end)
    }
    return pass.rowCount
  }

  private func runLong(_ goesOn: (Int) -> Bool) throws(LacunaError) {
    let (rows, layers) = (pass.rowCount, pass.model.config.numHiddenLayers)
    withoutActuallyEscaping(goesOn) { goesOn in
      pass.watch = { goesOn(rows * $0 / layers) }
      team.run(pass)
      pass.watch = nil
    }
    if pass.isStopped { throw LacunaError(.cancelled, "cancelled within a pass over \(rows) tokens") }
  }

  private func add(_ request: PassRequest, number: Int, start: Int, end: Int) {
    let session = request.session
    pass.beginSegment(request: number, firstPosition: start, pages: session.pages.addresses)
    let wantsLogits = request.wantsLogits && end >= request.end
    session.tokens.withUnsafeBufferPointer { tokens in
      pass.add(
        tokens, from: start, to: min(end, request.end), logits: wantsLogits ? session.writableLogits : nil,
        scoreFrom: request.scoreFrom, scores: request.scores)
    }
    guard let lookahead = request.lookahead, end > request.end else { return }
    lookahead.guesses.withUnsafeBufferPointer { guesses in
      for guess in max(start - request.end, 0)..<end - request.end {
        pass.add(guess: guesses[guess], position: request.end + guess, logits: lookahead.row(guess))
      }
    }
  }
}
