import Synchronization

/// Cuts work into passes of at most `Scratch.rowCapacity` tokens and runs them, one at a time for each engine.
final class PassRunner: Sendable {
  private let pass: ForwardPass
  /// Held while `pass` and its scratch are in use.
  private let gate = Mutex<Void>(())
  private let team: ThreadTeam
  let scratchBytes: Int
  private let passTotal = Atomic<Int>(0)
  private let rowTotal = Atomic<Int>(0)

  init(model: LlamaModel, team: ThreadTeam) throws(LacunaError) {
    let scratch = try Scratch(model: model, threadCount: team.threadCount)
    scratchBytes = scratch.byteCount
    pass = ForwardPass(model: model, scratch: scratch)
    self.team = team
  }

  /// Evaluates every request to its end.
  /// - Throws: as soon as one of them has failed.
  func run(_ requests: [PassRequest]) throws(LacunaError) {
    var rest = requests
    while !rest.isEmpty {
      advance(rest)
      if let failure = rest.lazy.compactMap(\.failure).first { throw failure }
      rest.removeAll(where: \.isDone)
    }
  }

  /// One pass over the first tokens that are still to do. Requests of few tokens come before those of many, which may
  /// need several passes, and otherwise they come in the order given.
  func advance(_ requests: [PassRequest]) {
    let open = requests.filter { !$0.isDone }
    for request in open where request.firstTotal < 0 { request.firstTotal = request.rowsLeft }
    let order = open.enumerated().sorted { ($0.element.rowsLeft, $0.offset) < ($1.element.rowsLeft, $1.offset) }
    gate.withLock { _ in runOnce(order.map(\.element)) }
    for request in open where !request.isDone {
      let done = request.firstTotal - request.rowsLeft
      if done > 0, request.session.onProgress?(done, request.firstTotal) == false {
        request.fail(LacunaError(.cancelled, "cancelled after \(done) of \(request.firstTotal) tokens"))
      }
    }
  }

  /// Passes so far, and tokens that they evaluated.
  var tally: (passes: Int, tokens: Int) { (passTotal.load(ordering: .relaxed), rowTotal.load(ordering: .relaxed)) }

  /// Runs `body` on every thread of the team, when no pass does.
  func onEveryThread(_ body: @escaping (Int, Int) -> Void) {
    final class Body: TeamJob {
      let body: (Int, Int) -> Void
      init(_ body: @escaping (Int, Int) -> Void) { self.body = body }
      func run(thread: Int, of threadCount: Int, team: ThreadTeam) { body(thread, threadCount) }
    }
    team.run(Body(body))
  }

  private func runOnce(_ requests: [PassRequest]) {
    pass.clear()
    var taken: [(request: PassRequest, end: Int)] = []
    var lensRowCount = 0
    var seen: Set<ObjectIdentifier> = []
    for request in requests where pass.rowCount < Scratch.rowCapacity {
      let session = request.session
      // Two that wait for one session take turns.
      guard seen.insert(ObjectIdentifier(session)).inserted else { continue }
      guard session.count >= request.end + request.scores.count.signum() else {
        request.fail(LacunaError(.invalidArgument, "the session was changed while a pass over its tokens was due"))
        continue
      }
      let start = session.evaluatedCount
      let end = min(request.rowEnd, start + Scratch.rowCapacity - pass.rowCount)
      guard start < end else {
        settle(request)
        continue
      }
      lensRowCount += request.lensRowCount(in: start..<end)
      if !taken.isEmpty, lensRowCount > Scratch.headRowCapacity - Scratch.rowCapacity { break }
      do throws(LacunaError) {
        // Pages may be replaced behind what is written.
        if request.lookahead == nil { session.lookahead?.keep(0) }
        try session.pages.prepareToWrite(positions: start..<end)
      } catch {
        request.fail(error)
        continue
      }
      add(request, start: start, end: end)
      taken.append((request, end))
    }
    if pass.rowCount == 0 { return }
    passTotal.add(1, ordering: .relaxed)
    rowTotal.add(pass.rowCount, ordering: .relaxed)
    team.run(pass)
    refuseWhatIsNotFinite(taken.map(\.request))
    for (request, end) in taken where !request.isDone {
      if request.bringsStates, end >= request.end { request.session.lastStates?.didBring(count: request.end) }
      request.session.didEvaluate(
        upTo: min(end, request.end), hasLogits: request.wantsLogits && end >= request.end)
      request.isDone = end >= request.rowEnd
    }
  }

  /// For a request whose rows somebody else has had evaluated.
  private func settle(_ request: PassRequest) {
    guard !request.wantsLogits || request.session.hasLogits(after: request.end) else {
      return request.fail(
        LacunaError(.invalidArgument, "the session was changed while a pass for its logits was due"))
    }
    request.isDone = true
  }

  /// - Parameter requests: by segment.
  private func refuseWhatIsNotFinite(_ requests: [PassRequest]) {
    for index in 0..<pass.headRowCount where !pass.scratch.headRows[index].isFinite {
      let row = pass.scratch.rows[pass.scratch.headRows[index].row]
      let request = requests[row.segment]
      let session = request.session
      if let lookahead = request.lookahead, row.position >= request.end {
        // Plain decoding would perhaps never see these.
        lookahead.keep(row.position - request.end)
        continue
      }
      if request.isDone { continue }
      session.forgetKeysAndValues()
      request.fail(
        LacunaError(
          .notFinite,
          "\(session.engine.info.name): the logits after position \(row.position + 1) (token \(row.token)) are not finite"
        ))
    }
  }

  private func add(_ request: PassRequest, start: Int, end: Int) {
    let scratch = pass.scratch
    let session = request.session
    let segment = pass.segmentCount
    scratch.segments[segment] = ForwardPass.Segment(
      firstRow: pass.rowCount, count: end - start, firstPosition: start, pages: session.pages.addresses)
    pass.segmentCount += 1
    request.trace?.beginPass()
    for position in start..<end {
      let row = pass.rowCount
      pass.rowCount += 1
      for patch in session.patches where patch.applies(at: position) { pass.edits.append(patch.edit(row: row)) }
      if let lookahead = request.lookahead, position >= request.end {
        let guess = position - request.end
        scratch.rows[row] = ForwardPass.Row(token: lookahead.guesses[guess], position: position, segment: segment)
        pass.addHeadRow(row, logits: lookahead.row(guess))
        continue
      }
      scratch.rows[row] = ForwardPass.Row(token: session.tokens[position], position: position, segment: segment)
      request.trace?.tap(pass, row: row, position: position)
      let isEnd = position == request.end - 1
      if isEnd, request.bringsStates { session.lastStates?.tap(pass, row: row) }
      let isScored = position + 1 >= request.scoreFrom
      let isLast = request.wantsLogits && isEnd
      guard isScored || isLast else { continue }
      let place = position + 1 - request.scoreFrom
      let scoredLogits = request.scoredLogits.map { $0 + place * session.engine.config.vocabSize }
      pass.addHeadRow(
        row, logits: isLast ? session.writableLogits : isScored ? scoredLogits : nil,
        target: isScored ? session.tokens[position + 1] : 0,
        score: isScored ? request.scores.baseAddress.map { $0 + place } : nil)
    }
  }
}
