/// What a session waits for: a pass over its tokens up to some point, and what is wanted of it.
public final class PassRequest {
  package let session: Session
  /// Tokens before this count are evaluated.
  let end: Int
  /// Whether the logits after token `end - 1` are wanted.
  let wantsLogits: Bool
  /// Scores are wanted for the tokens from this index on.
  let scoreFrom: Int
  /// `scores[i]` is that of token `scoreFrom + i`.
  let scores: UnsafeMutableBufferPointer<TokenScore>
  /// Where the logits that each of them was scored by go, [count, vocab]; nil where the scores will do.
  var scoredLogits: UnsafeMutablePointer<Float>?
  /// Guesses to be evaluated behind `end`, in one pass with it, and where the logits after each of them go.
  let lookahead: Lookahead?
  /// What is to be copied out of the layers on the way.
  let trace: Trace?
  /// Whether the session's `lastStates` are wanted after token `end - 1`; they are with its logits.
  private let wantsStates: Bool

  /// Whether there is nothing to wait for any more: it was done, or it failed.
  public internal(set) var isDone = false
  /// Why it failed. The session is as it was, or has to evaluate its tokens again.
  public internal(set) var failure: LacunaError?
  /// Tokens that were to do when the first pass began; -1 before.
  var firstTotal = -1

  /// Makes keys and values of the tokens before `end`, and perhaps the logits after them.
  init(
    session: Session, end: Int, wantsLogits: Bool = false, lookahead: Lookahead? = nil, trace: Trace? = nil,
    wantsStates: Bool = false
  ) {
    self.session = session
    self.end = end
    self.wantsLogits = wantsLogits
    self.lookahead = lookahead
    self.trace = trace
    self.wantsStates = wantsStates
    scoreFrom = .max
    scores = UnsafeMutableBufferPointer(start: nil, count: 0)
  }

  /// Scores the tokens from `scoreFrom` to the session's last.
  init(scoring session: Session, from scoreFrom: Int) {
    self.session = session
    self.scoreFrom = scoreFrom
    end = session.count - 1
    wantsLogits = false
    lookahead = nil
    trace = nil
    wantsStates = false
    scores = .allocate(capacity: session.count - scoreFrom)
    scores.initialize(repeating: TokenScore(logProbability: 0, isGreedy: false))
    isDone = scores.isEmpty
  }

  deinit { scores.deallocate() }

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

  func fail(_ error: LacunaError) {
    failure = error
    isDone = true
  }
}
