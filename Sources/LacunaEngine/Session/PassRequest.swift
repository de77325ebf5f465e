/// What a pass is to do for one session.
struct PassItem {
  let session: Session
  /// Tokens before this count are evaluated.
  let end: Int
  /// Whether the logits after token `end - 1` are wanted.
  var wantsLogits = false
  /// Scores are wanted for the tokens from this index on.
  var scoreFrom = Int.max
  /// `scores[i]` is that of token `scoreFrom + i`.
  var scores = UnsafeMutableBufferPointer<TokenScore>(start: nil, count: 0)
  /// Where the logits that each of them was scored by go, [count, vocab]; nil where the scores will do.
  var scoredLogits: UnsafeMutablePointer<Float>?
  /// Guesses to be evaluated behind `end`, in one pass with it, and where the logits after each of them go.
  var lookahead: Lookahead?
  /// What is to be copied out of the layers on the way.
  var trace: Trace?
  /// Whether the session's `lastStates` are wanted after token `end - 1`; they are with its logits.
  var wantsStates = false

  /// Whether the session's `lastStates` come with it.
  var bringsStates: Bool { wantsLogits || wantsStates }

  /// Rows for the head beside those of whole tokens.
  func lensRowCount(in range: Range<Int>) -> Int {
    let states = bringsStates && range.contains(end - 1) ? session.lastStates?.lensCount ?? 0 : 0
    return states + (trace?.lensRowCount(in: range) ?? 0)
  }

  /// Rows are for positions before this.
  var rowEnd: Int { end + (lookahead?.guesses.count ?? 0) }
  /// Rows that are still to do.
  var rowsLeft: Int { max(rowEnd - session.evaluatedCount, 0) }
}

/// What a session waits for, for whoever makes the passes of many: a pass over its tokens up to some point, and what is
/// wanted of it.
public final class PassRequest {
  private(set) var item: PassItem
  package var session: Session { item.session }
  var scores: UnsafeMutableBufferPointer<TokenScore> { item.scores }
  /// See `PassItem`.
  var scoredLogits: UnsafeMutablePointer<Float>? {
    get { item.scoredLogits }
    set { item.scoredLogits = newValue }
  }
  /// Whether there is nothing to wait for any more: it was done, or it failed.
  public internal(set) var isDone = false
  /// Why it failed. The session is as it was, or has to evaluate its tokens again.
  public internal(set) var failure: LacunaError?
  /// Tokens that were to do when the first pass began; -1 before.
  var firstTotal = -1

  init(_ item: PassItem) { self.item = item }

  /// Makes keys and values of the tokens before `end`, and perhaps the logits after them.
  convenience init(
    session: Session, end: Int, wantsLogits: Bool = false, trace: Trace? = nil, wantsStates: Bool = false
  ) {
    self.init(
      PassItem(session: session, end: end, wantsLogits: wantsLogits, trace: trace, wantsStates: wantsStates))
  }

  /// Scores the tokens from `scoreFrom` to the session's last.
  convenience init(scoring session: Session, from scoreFrom: Int) {
    let scores = UnsafeMutableBufferPointer<TokenScore>.allocate(capacity: session.count - scoreFrom)
    scores.initialize(repeating: TokenScore(logProbability: 0, isGreedy: false))
    self.init(PassItem(session: session, end: session.count - 1, scoreFrom: scoreFrom, scores: scores))
    isDone = scores.isEmpty
  }

  deinit { item.scores.deallocate() }

  var rowsLeft: Int { item.rowsLeft }

  func fail(_ error: LacunaError) {
    failure = error
    isDone = true
  }
}
