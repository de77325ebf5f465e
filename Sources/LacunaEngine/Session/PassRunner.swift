import Synchronization

/// What a pass is to do for one session.
struct PassRequest {
  let session: Session
  /// Tokens before this count are evaluated.
  let end: Int
  /// Scores are wanted for the tokens from this index on; `scores[i]` is that of token `scoreFrom + i`.
  var scoreFrom = Int.max
  var scores: UnsafeMutablePointer<TokenScore>?
  /// Where the logits that each of them was scored by go, [count, vocab]; nil where the scores will do.
  var scoredLogits: UnsafeMutablePointer<Float>?
  /// Whether the logits after token `end - 1` are wanted.
  var wantsLogits = false
  /// Guesses to be evaluated behind `end`, in one pass with it, and where the logits after each of them go.
  var lookahead: Lookahead?

  /// Rows are for positions before this.
  var rowEnd: Int { end + (lookahead?.guesses.count ?? 0) }
}

/// Cuts work into passes of at most `Scratch.rowCapacity` tokens and runs them, one at a time for each engine.
final class PassRunner: Sendable {
  private let pass: ForwardPass
  /// Held while `pass` and its scratch are in use.
  private let gate = Mutex<Void>(())
  private let team: ThreadTeam
  let scratchBytes: Int

  init(model: LlamaModel, team: ThreadTeam) throws(LacunaError) {
    let scratch = try Scratch(model: model, threadCount: team.threadCount)
    scratchBytes = scratch.byteCount
    pass = ForwardPass(model: model, scratch: scratch)
    self.team = team
  }

  /// Evaluates every request to its end, in the order given.
  func run(_ requests: [PassRequest]) throws(LacunaError) {
    let total = requests.reduce(0) { $0 + max($1.rowEnd - $1.session.evaluatedCount, 0) }
    var done = 0
    while done < total {
      let count = try gate.withLock { _ throws(LacunaError) in try runOnce(requests) }
      done += count
      for request in requests where done < total {
        if request.session.onProgress?(done, total) == false {
          throw LacunaError(.cancelled, "cancelled after \(done) of \(total) tokens")
        }
      }
    }
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

  /// One pass over the first tokens that are still to do; returns how many there were.
  private func runOnce(_ requests: [PassRequest]) throws(LacunaError) -> Int {
    pass.rowCount = 0
    pass.segmentCount = 0
    pass.headRowCount = 0
    var taken: [(request: PassRequest, end: Int)] = []
    for request in requests where pass.rowCount < Scratch.rowCapacity {
      let session = request.session
      let start = session.evaluatedCount
      let end = min(request.rowEnd, start + Scratch.rowCapacity - pass.rowCount)
      guard start < end else { continue }
      // Pages may be replaced behind what is written.
      if request.lookahead == nil { session.lookahead?.keep(0) }
      try session.pages.prepareToWrite(positions: start..<end)
      add(request, start: start, end: end)
      taken.append((request, end))
    }
    team.run(pass)
    for index in 0..<pass.headRowCount where !pass.scratch.headRows[index].isFinite {
      let row = pass.scratch.rows[pass.scratch.headRows[index].row]
      let (request, _) = taken[row.segment]
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
    for (request, end) in taken {
      request.session.didEvaluate(
        upTo: min(end, request.end), hasLogits: request.wantsLogits && end >= request.end)
    }
    return pass.rowCount
  }

  private func add(_ request: PassRequest, start: Int, end: Int) {
    let scratch = pass.scratch
    let session = request.session
    let segment = pass.segmentCount
    scratch.segments[segment] = ForwardPass.Segment(
      firstRow: pass.rowCount, count: end - start, firstPosition: start, pages: session.pages.addresses)
    pass.segmentCount += 1
    for position in start..<end {
      let row = pass.rowCount
      pass.rowCount += 1
      if let lookahead = request.lookahead, position >= request.end {
        let guess = position - request.end
        scratch.rows[row] = ForwardPass.Row(token: lookahead.guesses[guess], position: position, segment: segment)
        scratch.headRows[pass.headRowCount] = ForwardPass.HeadRow(
          row: row, logits: lookahead.row(guess), target: 0, score: nil, isFinite: true)
        pass.headRowCount += 1
        continue
      }
      scratch.rows[row] = ForwardPass.Row(token: session.tokens[position], position: position, segment: segment)
      let isScored = position + 1 >= request.scoreFrom && position + 1 < session.count
      let isLast = request.wantsLogits && position == request.end - 1
      guard isScored || isLast else { continue }
      let place = position + 1 - request.scoreFrom
      let scoredLogits = request.scoredLogits.map { $0 + place * session.engine.config.vocabSize }
      scratch.headRows[pass.headRowCount] = ForwardPass.HeadRow(
        row: row, logits: isLast ? session.writableLogits : isScored ? scoredLogits : nil,
        target: isScored ? session.tokens[position + 1] : 0,
        score: isScored ? request.scores.map { $0 + place } : nil, isFinite: true)
      pass.headRowCount += 1
    }
  }
}
