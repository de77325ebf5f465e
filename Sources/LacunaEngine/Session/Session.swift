/// One timeline over an engine: tokens, their keys and values, and the logits after the last of them.
///
/// A session has one owner and is driven by one thread at a time. Appending is free: the forward pass runs when
/// logits are asked for, so that several sessions can share one (`Batch.forward`).
public final class Session {
  public let engine: Engine

  /// Every token, evaluated or pending.
  public private(set) var tokens: [TokenID] = []
  /// Reported while a long prompt is evaluated, between passes and between a long pass's layers: tokens done and in
  /// all. Return false to cancel; what was evaluated before the pass that runs stays. It must not use an engine.
  public var onProgress: ((Int, Int) -> Bool)?

  /// Tokens whose keys and values are in `pages`.
  private(set) var evaluatedCount = 0
  /// Tokens that passes have seen in all, those that were rewound included.
  package private(set) var evaluatedTotal = 0
  /// The count of tokens that the logits follow; -1 while there are none.
  private var logitsCount = -1
  private(set) var pages: KVPages
  /// What every pass of this sequence changes in the model, in this order; its forks have the same.
  public private(set) var patches: [Patch] = []
  /// Made when somebody first asks for one.
  private(set) var lastStates: LastStates?
  /// Made when a generation first guesses.
  private(set) var lookahead: Lookahead?
  /// The epoch in the first cache line, then the logits.
  private let memory: AlignedBuffer
  private static let logitsOffset = 64

  init(engine: Engine) throws(LacunaError) {
    self.engine = engine
    pages = KVPages(pool: engine.pagePool, positionCapacity: engine.contextLength)
    memory = try AlignedBuffer(
      byteCount: Self.logitsOffset + engine.config.vocabSize * MemoryLayout<Float>.stride)
  }

  /// Changes the model for this sequence, from its first token on. A patched sequence has the same bits in every batch,
  /// and nothing changes for others in it.
  /// - Throws: `invalidArgument` if the model has not the layer, or the vector not its width, and once tokens have been
  ///   evaluated: their keys and values would be another model's.
  public func use(_ patches: [Patch]) throws(LacunaError) {
    for patch in patches { try patch.check(engine) }
    guard evaluatedCount == 0 else {
      throw LacunaError(
        .invalidArgument, "patches: expected before the first pass, found \(evaluatedCount) tokens evaluated")
    }
    self.patches = patches
  }

  public var count: Int { tokens.count }
  /// Tokens that no forward pass has seen yet.
  public var pendingCount: Int { tokens.count - evaluatedCount }

  /// Changes whenever the tokens or the logits do: a view taken at another epoch is stale. The address is stable
  /// for the session's lifetime.
  public var epochAddress: UnsafePointer<UInt64> { UnsafePointer(epochCell) }
  public var epoch: UInt64 { epochCell.pointee }
  private var epochCell: UnsafeMutablePointer<UInt64> { memory.base.assumingMemoryBound(to: UInt64.self) }

  var writableLogits: UnsafeMutablePointer<Float> { memory.floats(at: Self.logitsOffset) }

  /// Adds tokens to the end.
  /// - Throws: `invalidArgument` for an id outside the vocabulary, `contextFull` beyond the model's context; the
  ///   session is unchanged then.
  public func append(_ ids: some Collection<TokenID>) throws(LacunaError) {
    guard !ids.isEmpty else { return }
    if let bad = ids.first(where: { $0 < 0 || $0 >= engine.config.vocabSize }) {
      throw LacunaError(
        .invalidArgument, "token id: expected 0 to \(engine.config.vocabSize - 1), found \(bad)")
    }
    guard tokens.count + ids.count <= engine.contextLength else {
      throw LacunaError(
        .contextFull,
        "\(engine.info.name): the context holds \(engine.contextLength) tokens; "
          + "\(tokens.count) are in it and \(ids.count) more were given")
    }
    for id in ids {
      // Guessed right: its keys and values are there.
      if let lookahead, lookahead.confirms(id, at: tokens.count), evaluatedCount == tokens.count { evaluatedCount += 1 }
      tokens.append(id)
    }
    epochCell.pointee &+= 1
  }

  public func append(_ id: TokenID) throws(LacunaError) { try append(CollectionOfOne(id)) }

  /// Logits after the last token, [vocabSize]; runs the pending forward pass.
  /// - Throws: `invalidArgument` for an empty session, `notFinite`, `cancelled`.
  public func logits() throws(LacunaError) -> [Float] {
    let values = Array(try borrowedLogits())
    // Otherwise a caller's last mention of the session would be before the copy is made.
    withExtendedLifetime(self) {}
    return values
  }

  /// The logits in place: valid until the epoch changes and while the session lives, which the pointer does not see to.
  /// The address is the same every time.
  package func borrowedLogits() throws(LacunaError) -> UnsafeBufferPointer<Float> {
    if let item = try logitsItem() { try engine.runner.run(CollectionOfOne(item)) }
    return UnsafeBufferPointer(start: writableLogits, count: engine.config.vocabSize)
  }

  /// Whether `logits()` needs no pass. Takes over what a pass has computed ahead.
  package var hasLogits: Bool {
    if !tokens.isEmpty, logitsCount == tokens.count { return true }
    guard evaluatedCount == tokens.count, let ahead = lookahead?.logits(after: tokens.count) else { return false }
    writableLogits.update(from: ahead, count: engine.config.vocabSize)
    logitsCount = tokens.count
    epochCell.pointee &+= 1
    return true
  }

  /// Whether the logits are those after the first `count` tokens.
  func hasLogits(after count: Int) -> Bool { logitsCount == count }

  /// Tokens that a pass for the logits would evaluate.
  var rowsBeforeLogits: Int { max(pendingCount, 1) }

  /// What is missing for a state of the last position, which later passes for the logits bring along: nil if it is there.
  /// Where the logits are there, the last token is run again without them.
  func stateRequest(_ kind: LastStates.Kind, layer: Int) throws(LacunaError) -> PassRequest? {
    guard !tokens.isEmpty else {
      throw LacunaError(.invalidArgument, "an empty session has no states: append a token first")
    }
    let states = lastStates ?? LastStates()
    lastStates = states
    if try states.state(kind, layer: layer, config: engine.config).count == tokens.count { return nil }
    let hadLogits = hasLogits
    evaluatedCount = min(evaluatedCount, tokens.count - 1)
    return PassRequest(session: self, end: tokens.count, wantsLogits: !hadLogits, wantsStates: true)
  }

  /// After a pass that came to what was there: views that were taken before it stay fresh.
  func restore(epoch: UInt64) { epochCell.pointee = epoch }

  func lookahead(capacity: Int) throws(LacunaError) -> Lookahead {
    if let lookahead, lookahead.capacity >= capacity { return lookahead }
    let made = try Lookahead(capacity: capacity, vocabularySize: engine.config.vocabSize)
    lookahead = made
    return made
  }

  /// Runs the pending pass for the logits, and for those after each of `guesses`, which may be appended next.
  /// - Throws: as `logits()`.
  func lookAhead(_ guesses: [TokenID]) throws(LacunaError) {
    let lookahead = try lookahead(capacity: guesses.count)
    lookahead.keep(0)
    guard var item = try logitsItem() else { return }
    lookahead.begin(after: tokens.count, guesses)
    item.lookahead = lookahead
    try engine.runner.run(CollectionOfOne(item))
  }

  /// What is missing for `logits()`: nil if they are there.
  func logitsItem() throws(LacunaError) -> PassItem? {
    guard !tokens.isEmpty else {
      throw LacunaError(.invalidArgument, "an empty session has no logits: append a token first")
    }
    if hasLogits { return nil }
    // After a rewind the keys and values are there and the logits are not: the last token is run again.
    evaluatedCount = min(evaluatedCount, tokens.count - 1)
    return PassItem(session: self, end: tokens.count, wantsLogits: true)
  }

  /// The same for whoever makes passes of many sessions.
  func logitsRequest() throws(LacunaError) -> PassRequest? { try logitsItem().map { PassRequest($0) } }

  /// Appends `ids` and scores each of them given all before it. The last one is left pending.
  /// - Throws: as `append`; `invalidArgument` for an empty session.
  public func score(appending ids: [TokenID]) throws(LacunaError) -> [TokenScore] {
    try Batch.score([(self, ids)])[0]
  }

  /// What is missing to score the tokens from `index` on, of which there may be none.
  func scoreRequest(from index: Int) -> PassRequest {
    evaluatedCount = min(evaluatedCount, index - 1)
    return PassRequest(scoring: self, from: index)
  }

  /// The next pass begins at `index`, or before it where tokens were never evaluated.
  func evaluateAgain(from index: Int) { evaluatedCount = min(evaluatedCount, index) }

  /// Passes bring nothing along any more.
  func forgetStates() { lastStates = nil }

  /// Told by a pass that the keys and values of all tokens before `end` are there, and with the last of them the
  /// logits if they were wanted.
  func didEvaluate(upTo end: Int, hasLogits: Bool) {
    evaluatedTotal += end - evaluatedCount
    evaluatedCount = end
    if hasLogits { logitsCount = end }
    epochCell.pointee &+= 1
  }

  /// After a pass that went wrong: nothing that it wrote may be read again.
  func forgetKeysAndValues() {
    pages = KVPages(pool: engine.pagePool, positionCapacity: engine.contextLength)
    lookahead?.keep(0)
    lastStates?.rewind(to: -1)
    evaluatedCount = 0
    logitsCount = -1
    epochCell.pointee &+= 1
  }

  /// Keeps the first `count` tokens. O(1): pages stay until others need them.
  /// - Throws: `invalidArgument` if there are not so many.
  public func rewind(to count: Int) throws(LacunaError) {
    guard (0...tokens.count).contains(count) else {
      throw LacunaError(.invalidArgument, "rewind: expected 0 to \(tokens.count) tokens to keep, found \(count)")
    }
    guard count < tokens.count else { return }
    tokens.removeLast(tokens.count - count)
    evaluatedCount = min(evaluatedCount, count)
    logitsCount = logitsCount == count ? count : -1
    lookahead?.rewind(to: count)
    lastStates?.rewind(to: count)
    epochCell.pointee &+= 1
  }

  /// A second timeline with the same past; keys and values are shared until one of the two changes them.
  public func fork() throws(LacunaError) -> Session {
    let copy = try Session(engine: engine)
    copy.tokens = tokens
    copy.evaluatedCount = evaluatedCount
    copy.patches = patches
    copy.lastStates = try lastStates?.fork(config: engine.config)
    copy.pages = pages.fork()
    if logitsCount == tokens.count {
      copy.logitsCount = logitsCount
      copy.writableLogits.update(from: writableLogits, count: engine.config.vocabSize)
    }
    return copy
  }

  /// Takes over what a snapshot file held.
  func adopt(tokens: [TokenID], evaluatedCount: Int, pages: KVPages) {
    self.tokens = tokens
    self.evaluatedCount = evaluatedCount
    self.pages = pages
    logitsCount = -1
    epochCell.pointee &+= 1
  }
}

extension Session {
  /// The pages that it holds keys and values in, some of them perhaps together with its forks.
  package var keyValuePages: [ObjectIdentifier] { pages.identities }
  package var keyValuePageBytes: Int { pages.pageBytes }
  /// Bytes of its logits, and of what else it keeps of its last position.
  package var outputBytes: Int {
    engine.config.vocabSize * MemoryLayout<Float>.stride + (lastStates?.byteCount ?? 0)
  }
  /// Pages that evaluating the pending tokens will add.
  package var missingPageCount: Int {
    max((tokens.count + KVLayout.pagePositions - 1) / KVLayout.pagePositions - pages.count, 0)
  }
}
