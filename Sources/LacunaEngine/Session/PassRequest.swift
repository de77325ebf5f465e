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
  /// Guesses to be evaluated behind `end`, in one pass with it, and where the logits after each of them go.
  let lookahead: Lookahead?

  /// Whether there is nothing to wait for any more: it was done, or it failed.
  public internal(set) var isDone = false
  /// Why it failed. The session is as it was, or has to evaluate its tokens again.
  public internal(set) var failure: LacunaError?
  /// Tokens that were to do when the first pass began; -1 before.
  var firstTotal = -1

  /// Makes keys and values of the tokens before `end`, and perhaps the logits after them.
  init(session: Session, end: Int, wantsLogits: Bool = false, lookahead: Lookahead? = nil) {
    self.session = session
    self.end = end
    self.wantsLogits = wantsLogits
    self.lookahead = lookahead
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
    scores = .allocate(capacity: session.count - scoreFrom)
    scores.initialize(repeating: TokenScore(logProbability: 0, isGreedy: false))
    isDone = scores.isEmpty
  }

  deinit { scores.deallocate() }

  /// Rows are for positions before this.
  var rowEnd: Int { end + (lookahead?.guesses.count ?? 0) }
  /// Rows that are still to do.
  var rowsLeft: Int { max(rowEnd - session.evaluatedCount, 0) }

  func fail(_ error: LacunaError) {
    failure = error
    isDone = true
  }
}
