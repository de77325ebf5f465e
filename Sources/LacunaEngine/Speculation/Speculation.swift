/// Guesses what a generation will draw next, and has one pass compute the logits after every guess.
///
/// The generation draws as it always does, from the same logits to the last bit: a guess that comes true only saves the
/// pass that would have computed them. So the text is that of plain decoding at every temperature, with any hook or
/// stage. Whether and how much is guessed follows measured times, unless `guessCount` fixes it.
///
/// It belongs to one engine and is used by one generation at a time. What passes and guesses cost and bring is kept by the
/// engine, for all that guess in the same way; with `guessCount` nothing follows from it.
public final class Speculation {
  public struct Options: Sendable {
    /// Copy what followed the last `lookup` tokens where they occurred before; nil for not at all.
    public var lookup: Int?
    /// Guess with this model where nothing was found to copy. It must share the vocabulary.
    public var draft: Engine?
    /// Always guess so many tokens; nil to do what pays.
    public var guessCount: Int?

    public init(lookup: Int? = nil, draft: Engine? = nil, guessCount: Int? = nil) {
      self.lookup = lookup
      self.draft = draft
      self.guessCount = guessCount
    }
  }

  public struct Tally: Equatable, Sendable {
    /// Tokens that were guessed, and those of them that came true.
    public var drafted = 0
    public var accepted = 0
    /// Passes of the model, the prompt's included.
    public var passes = 0

    public init(drafted: Int = 0, accepted: Int = 0, passes: Int = 0) {
      self.drafted = drafted
      self.accepted = accepted
      self.passes = passes
    }

    static func - (a: Tally, b: Tally) -> Tally {
      Tally(drafted: a.drafted - b.drafted, accepted: a.accepted - b.accepted, passes: a.passes - b.passes)
    }
  }

  /// What the next token will be drawn with.
  struct Draw {
    let chain: SamplerChain
    let promptCount: Int
    let seed: UInt64
    let stream: UInt64

    func context(_ tokens: UnsafeBufferPointer<TokenID>) -> SamplingContext {
      SamplingContext(tokens: tokens, promptCount: promptCount, seed: seed, stream: stream)
    }
  }

  private struct Round {
    let lookahead: Lookahead
    let kind: SpeculationPlanner.Kind
    let seconds: Double
  }

  /// With the pending token these fill the widest pass that still reads the weights as one row does.
  public static let greatestGuessCount = 15

  public let engine: Engine
  public let options: Options
  private let lookup: PromptLookup?
  private var draftModel: DraftModel?
  package let record: GuessingRecord
  private var round: Round?
  private var settled = Tally()

  /// - Throws: `invalidArgument` for numbers out of range and for a draft model of another vocabulary.
  public init(engine: Engine, options: Options) throws(LacunaError) {
    if let length = options.lookup, !(1...16).contains(length) {
      throw LacunaError(.invalidArgument, "lookup: expected 1 to 16 tokens to match, found \(length)")
    }
    if let count = options.guessCount, !(1...Self.greatestGuessCount).contains(count) {
      throw LacunaError(
        .invalidArgument, "speculation: expected 1 to \(Self.greatestGuessCount) tokens to guess, found \(count)")
    }
    self.engine = engine
    self.options = options
    let share = options.draft.map { Double($0.info.parameterCount) / Double(max(engine.info.parameterCount, 1)) } ?? 0
    func planner() -> SpeculationPlanner {
      SpeculationPlanner(guessCapacity: Self.greatestGuessCount, guessShare: share)
    }
    // A number of guesses that does not follow the record would spoil it for those that do.
    record =
      options.guessCount != nil
      ? GuessingRecord(planner())
      : engine.guessingRecords.record(lookup: options.lookup, draft: options.draft, planner)
    lookup = options.lookup.map { PromptLookup(matchLength: $0) }
    if let draft = options.draft { draftModel = try DraftModel(engine: draft, target: engine) }
    record.withPlanner { $0.begin() }
  }

  // The last round of a text counts as well.
  deinit { settle() }

  /// Everything so far.
  public var tally: Tally {
    var tally = settled
    tally.accepted += round?.lookahead.confirmedCount ?? 0
    return tally
  }

  /// Makes the logits after the session's last token, and perhaps those after tokens that may follow.
  /// - Parameter limit: guesses that can be of use.
  /// - Throws: as `Session.logits()`.
  func makeLogits(_ session: Session, limit: Int, _ draw: Draw) throws(LacunaError) {
    settle()
    settled.passes += 1
    let rows = session.rowsBeforeLogits
    guard rows == 1 else {
      let start = ContinuousClock.now
      _ = try session.borrowedLogits()
      let seconds = (ContinuousClock.now - start).seconds
      return record.withPlanner { $0.recordPrompt(rows: rows, seconds) }
    }
    let limit = min(limit, Self.greatestGuessCount)
    if let guess = guess(session, limit: limit, draw) {
      let lookahead = try session.lookahead(capacity: Self.greatestGuessCount)
      let start = ContinuousClock.now
      try session.lookAhead(guess.tokens)
      let taken = (ContinuousClock.now - start).seconds
      let seconds = record.withPlanner { $0.recordRound(rows: guess.tokens.count + 1, pass: taken) }
      settled.drafted += guess.tokens.count
      round = Round(lookahead: lookahead, kind: guess.kind, seconds: seconds + guess.seconds)
    } else {
      let start = ContinuousClock.now
      _ = try session.borrowedLogits()
      let seconds = (ContinuousClock.now - start).seconds
      record.withPlanner { $0.recordPlain(seconds) }
    }
  }

  private func settle() {
    guard let round else { return }
    settled.accepted += round.lookahead.confirmedCount
    let (confirmed, isRefuted) = (round.lookahead.confirmedCount, round.lookahead.isRefuted)
    record.withPlanner {
      $0.settle(round.kind, seconds: round.seconds, confirmed: confirmed, isRefuted: isRefuted)
    }
    self.round = nil
  }

  private struct Guess {
    var tokens: [TokenID]
    var kind: SpeculationPlanner.Kind
    var seconds = 0.0
  }

  private func guess(_ session: Session, limit: Int, _ draw: Draw) -> Guess? {
    guard limit > 0 else { return nil }
    if let lookup, let match = lookup.match(session.tokens) {
      let count = planned(match.kind, limit)
      if count > 0 {
        var tokens = lookup.guesses(match, in: session.tokens, limit: count)
        // Nothing follows the end of an answer.
        if let end = tokens.firstIndex(where: engine.isEndOfGeneration) { tokens.removeSubrange(end...) }
        if !tokens.isEmpty { return Guess(tokens: tokens, kind: match.kind) }
      }
    }
    return draftModel.flatMap { draft($0, session, limit: limit, draw) }
  }

  private func draft(_ model: DraftModel, _ session: Session, limit: Int, _ draw: Draw) -> Guess? {
    let count = planned(.draftModel, limit, reading: model.readingCount(session.tokens))
    guard count > 0 else { return nil }
    model.onProgress = session.onProgress
    let start = ContinuousClock.now
    do {
      let draft = try model.draft(after: session.tokens, limit: count, draw) { chance, index in
        options.guessCount != nil || record.withPlanner { $0.isWorthwhile(chance: chance, guess: index) }
      }
      record.withPlanner { planner in
        if draft.readCount > 0 { planner.recordReading(draft.readCount, draft.readSeconds) }
        if draft.passCount > 0 { planner.recordGuess(draft.seconds / Double(draft.passCount)) }
        if draft.guesses.isEmpty { planner.recordWaste(draft.seconds) }
      }
      guard !draft.guesses.isEmpty else { return nil }
      return Guess(tokens: draft.guesses, kind: .draftModel, seconds: draft.seconds)
    } catch {
      let seconds = (ContinuousClock.now - start).seconds
      record.withPlanner { $0.recordWaste(seconds) }
      // A draft model that fails must not end a text that does without it; one that was cancelled can go on.
      if (error as? LacunaError)?.code != .cancelled { draftModel = nil }
      return nil
    }
  }

  private func planned(_ kind: SpeculationPlanner.Kind, _ limit: Int, reading: Int = 0) -> Int {
    options.guessCount.map { min($0, limit) }
      ?? record.withPlanner { $0.plan(kind, limit: limit, reading: reading) }
  }
}

extension Duration {
  var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
