import Synchronization

/// Cuts work into passes of at most `Scratch.rowCapacity` tokens and runs them, one at a time for each engine.
///
/// Items come as any collection, so that one of them, or one a session, needs no list: a token that is decoded allocates
/// nothing.
final class PassRunner: Sendable {
  private let pass: ForwardPass
  /// Held while `pass` and its scratch are in use.
  private let gate = Mutex<Void>(())
  private let team: ThreadTeam
  let scratchBytes: Int
  private let passTotal = Atomic<Int>(0)
  private let rowTotal = Atomic<Int>(0)

  /// A pass over so many tokens tells of its progress, and can be stopped, between two layers.
  private static let longPass = 64

  init(model: LlamaModel, team: ThreadTeam) throws(LacunaError) {
    let scratch = try Scratch(model: model, threadCount: team.threadCount)
    scratchBytes = scratch.byteCount
    pass = ForwardPass(model: model, scratch: scratch)
    self.team = team
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

  // MARK: To the end

  /// Evaluates every item of this engine to its end, in the order given. Sessions must be distinct.
  /// - Throws: `notFinite`; `cancelled` if a session's `onProgress` said so. What was evaluated before stays.
  func run(_ items: some RandomAccessCollection<PassItem>) throws(LacunaError) {
    var total = 0
    for item in items where isOurs(item) { total += item.rowsLeft }
    var done = 0
    while done < total {
      let before = done
      let outcome = gate.withLock { _ in
        runOnce(items) { self.isWanted(items, min(before + self.rowsDone(before: $0), total), of: total) }
      }
      if let failure = outcome.failures.first { throw failure.error }
      // Nothing is left where two items had rows in common.
      if outcome.rowCount == 0, !outcome.isStopped { break }
      done += outcome.rowCount
      if done < total, outcome.isStopped || !isWanted(items, done, of: total) {
        throw LacunaError(.cancelled, "cancelled after \(done) of \(total) tokens")
      }
    }
    // Whoever was shown a beginning is shown the end.
    _ = isWanted(items, total, of: total)
  }

  /// Tells each session how far a long run is; false if one of them wants no more of it.
  private func isWanted(_ items: some RandomAccessCollection<PassItem>, _ done: Int, of total: Int) -> Bool {
    total < Self.longPass || items.allSatisfy { !isOurs($0) || $0.session.onProgress?(done, total) != false }
  }

  private func isOurs(_ item: PassItem) -> Bool { item.session.engine.runner === self }

  /// Of the pass that runs, when it comes to a layer.
  private func rowsDone(before layer: Int) -> Int { pass.rowCount * layer / pass.model.config.numHiddenLayers }

  // MARK: A pass at a time

  /// One pass over the first tokens that are still to do. Requests of few tokens come before those of many, which may
  /// need several passes, and otherwise they come in the order given.
  func advance(_ requests: [PassRequest]) {
    let open = requests.filter { !$0.isDone }
    for request in open where request.firstTotal < 0 { request.firstTotal = request.rowsLeft }
    let order = open.enumerated().sorted { ($0.element.rowsLeft, $0.offset) < ($1.element.rowsLeft, $1.offset) }
      .map(\.element)
    let outcome = gate.withLock { _ in runOnce(order.lazy.map(\.item)) { self.report(order, before: $0) } }
    for failure in outcome.failures { order[failure.item].fail(failure.error) }
    for request in open where !request.isDone {
      if request.rowsLeft == 0 { settle(request) } else { report(request, request.firstTotal - request.rowsLeft) }
    }
  }

  /// Tells each session of the pass that runs how far it is; false if one of them wants no more of it.
  private func report(_ requests: [PassRequest], before layer: Int) -> Bool {
    var goesOn = true
    for index in 0..<pass.segmentCount {
      let segment = pass.scratch.segments[index]
      let request = requests[segment.request]
      let rows = segment.count * layer / pass.model.config.numHiddenLayers
      report(request, request.firstTotal - request.rowsLeft + rows)
      goesOn = goesOn && !request.isDone
    }
    return goesOn
  }

  /// A request whose session wants no more fails.
  private func report(_ request: PassRequest, _ done: Int) {
    if request.firstTotal >= Self.longPass, request.session.onProgress?(done, request.firstTotal) == false {
      request.fail(LacunaError(.cancelled, "cancelled after \(done) of \(request.firstTotal) tokens"))
    }
  }

  /// For a request whose rows are done, by this pass or by somebody else's.
  private func settle(_ request: PassRequest) {
    guard !request.item.wantsLogits || request.session.hasLogits(after: request.item.end) else {
      return request.fail(
        LacunaError(.invalidArgument, "the session was changed while a pass for its logits was due"))
    }
    report(request, request.firstTotal)
    request.failure = nil
    request.isDone = true
  }

  // MARK: One pass

  /// What a pass came to.
  private struct Outcome {
    /// Tokens that were evaluated.
    var rowCount = 0
    var isStopped = false
    /// What cannot be done, by the item's number in the collection.
    var failures: [(item: Int, error: LacunaError)] = []
  }

  /// One pass over the first tokens that are still to do.
  /// - Parameter goesOn: asked between the layers of a long pass, with the next layer's number.
  private func runOnce<Items: RandomAccessCollection<PassItem>>(_ items: Items, goesOn: (Int) -> Bool) -> Outcome {
    var outcome = Outcome()
    pass.clear()
    var lensRowCount = 0
    for (number, item) in items.enumerated() where pass.rowCount < Scratch.rowCapacity && isOurs(item) {
      let session = item.session
      let start = session.evaluatedCount
      let end = min(item.rowEnd, start + Scratch.rowCapacity - pass.rowCount)
      // Two that wait for one session take turns.
      guard start < end, !pass.contains(session.pages.addresses) else { continue }
      guard session.count >= item.end + item.scores.count.signum() else {
        outcome.failures.append(
          (number, LacunaError(.invalidArgument, "the session was changed while a pass over its tokens was due")))
        continue
      }
      lensRowCount += item.lensRowCount(in: start..<end)
      if pass.segmentCount > 0, lensRowCount > Scratch.headRowCapacity - Scratch.rowCapacity { break }
      do throws(LacunaError) {
        // Pages may be replaced behind what is written.
        if item.lookahead == nil { session.lookahead?.keep(0) }
        try session.pages.prepareToWrite(positions: start..<end)
      } catch {
        outcome.failures.append((number, error))
        continue
      }
      add(item, number: number, start: start, end: end)
    }
    if pass.rowCount == 0 { return outcome }
    if pass.rowCount < Self.longPass {
      team.run(pass)
    } else {
      withoutActuallyEscaping(goesOn) { goesOn in
        pass.watch = goesOn
        team.run(pass)
        pass.watch = nil
      }
      outcome.isStopped = pass.isStopped
      if pass.isStopped { return outcome }
    }
    passTotal.add(1, ordering: .relaxed)
    rowTotal.add(pass.rowCount, ordering: .relaxed)
    refuseWhatIsNotFinite(items, &outcome)
    for index in 0..<pass.segmentCount where !pass.scratch.segments[index].isRefused {
      let item = item(ofSegment: index, items)
      let end = pass.scratch.segments[index].endPosition
      if item.bringsStates, end >= item.end { item.session.lastStates?.didBring(count: item.end) }
      item.session.didEvaluate(upTo: min(end, item.end), hasLogits: item.wantsLogits && end >= item.end)
    }
    outcome.rowCount = pass.rowCount
    return outcome
  }

  private func item<Items: RandomAccessCollection<PassItem>>(ofSegment index: Int, _ items: Items) -> PassItem {
    items[items.index(items.startIndex, offsetBy: pass.scratch.segments[index].request)]
  }

  private func refuseWhatIsNotFinite<Items: RandomAccessCollection<PassItem>>(
    _ items: Items, _ outcome: inout Outcome
  ) {
    for index in 0..<pass.headRowCount where !pass.scratch.headRows[index].isFinite {
      let row = pass.scratch.rows[pass.scratch.headRows[index].row]
      let item = item(ofSegment: row.segment, items)
      let session = item.session
      if let lookahead = item.lookahead, row.position >= item.end {
        // Plain decoding would perhaps never see these.
        lookahead.keep(row.position - item.end)
        continue
      }
      if pass.scratch.segments[row.segment].isRefused { continue }
      pass.scratch.segments[row.segment].isRefused = true
      session.forgetKeysAndValues()
      let error = LacunaError(
        .notFinite,
        "\(session.engine.info.name): the logits after position \(row.position + 1) (token \(row.token)) are not finite"
      )
      outcome.failures.append((pass.scratch.segments[row.segment].request, error))
    }
  }

  private func add(_ item: PassItem, number: Int, start: Int, end: Int) {
    let session = item.session
    let firstRow = pass.rowCount
    pass.beginSegment(request: number, firstPosition: start, pages: session.pages.addresses)
    let wantsLogits = item.wantsLogits && end >= item.end
    session.tokens.withUnsafeBufferPointer { tokens in
      pass.add(
        tokens, from: start, to: min(end, item.end), logits: wantsLogits ? session.writableLogits : nil,
        scoreFrom: item.scoreFrom, scores: item.scores.baseAddress,
        scoredLogits: item.scoredLogits)
    }
    tap(item, firstRow: firstRow, start..<end)
    guard let lookahead = item.lookahead, end > item.end else { return }
    lookahead.guesses.withUnsafeBufferPointer { guesses in
      for guess in max(start - item.end, 0)..<end - item.end {
        pass.add(guess: guesses[guess], position: item.end + guess, logits: lookahead.row(guess))
      }
    }
  }
  /// What is to be changed and copied out on the way, for the rows that were added for the positions.
  private func tap(_ item: PassItem, firstRow: Int, _ positions: Range<Int>) {
    for patch in item.session.patches {
      for position in positions where patch.applies(at: position) {
        pass.edits.append(patch.edit(row: firstRow + position - positions.lowerBound))
      }
    }
    if let trace = item.trace {
      trace.beginPass()
      for position in positions { trace.tap(pass, row: firstRow + position - positions.lowerBound, position: position) }
    }
    if item.bringsStates, positions.contains(item.end - 1) {
      item.session.lastStates?.tap(pass, row: firstRow + item.end - 1 - positions.lowerBound)
    }
  }
}
