/// Decides how many tokens to guess, from what passes cost and how often guesses came true. No decision changes a
/// token: the worst that a wrong one costs is time, and that is bounded.
///
/// The bound: all rounds, and what the draft model read of prompts, together may take `share` longer than
/// as many plain passes, and half a pass. A round is only begun if it keeps the bound even when none of its guesses comes
/// true, as far as costs are known. What was won or not made use of is kept up to `greatestCredit`: one text after
/// another loses no more than that, half a pass and `share`. Of texts whose passes alternate one may lose what another wins.
package struct SpeculationPlanner {
  /// Where guesses come from; each kind's success is counted apart.
  package enum Kind: Int, CaseIterable, Sendable {
    case shortMatch, longMatch, draftModel
  }

  private struct Record {
    /// How likely the next guess is to come true, if all before it did.
    var chance: Double
    /// Rounds that were declined since one was tried, and how many of them until the next trial.
    var declinedCount = 0
    var patience = Self.leastPatience
    private let prior: Double
    static let leastPatience = 16
    static let greatestPatience = 1024

    init(chance: Double) { (self.chance, prior) = (chance, chance) }

    /// What was learned counts half in a new text.
    mutating func begin() {
      self = Record(chance: 0.5 * (chance + prior), prior: prior)
    }

    private init(chance: Double, prior: Double) { (self.chance, self.prior) = (chance, prior) }
  }

  private var costs: PassCosts
  private var records: [Record]
  private let guessShare: Double
  private var guessSeconds = 0.0
  /// What the draft model takes for a token of a prompt.
  private var readingSeconds = 0.0
  /// Of this text.
  private var plainSamples = 0
  private var leastPlain = Double.infinity
  private var roundsSincePlain = 0
  /// Seconds that may be lost, beside half a pass.
  private var credit = 0.0

  private static let share = 0.015
  /// In plain passes.
  private static let greatestCredit = 16.0
  /// Rounds after which a plain pass shows what it costs now.
  private static let greatestRoundCount = 32
  /// A gain below this is noise.
  private static let leastGain = 1.02
  /// Weight of the newest guess in `chance`.
  private static let adaption = 0.12

  /// - Parameter guessShare: what a guess of the draft model is taken to cost, in passes of one row, until it was seen.
  package init(guessCapacity: Int, guessShare: Double = 0.1) {
    self.guessShare = guessShare
    costs = PassCosts(rowCapacity: guessCapacity + 1)
    records = [Record(chance: 0.6), Record(chance: 0.8), Record(chance: 0.75)]
  }

  // MARK: Deciding

  /// How many tokens to guess, at most `limit`; 0 for a plain pass.
  /// - Parameter reading: tokens of a prompt that the draft model would have to read first.
  package mutating func plan(_ kind: Kind, limit: Int, reading: Int = 0) -> Int {
    // Two: the first may have touched memory that nobody had touched before.
    guard limit > 0, plainSamples >= 2, roundsSincePlain < Self.greatestRoundCount, let plain = costs.plain else {
      return 0
    }
    let budget = credit + 0.5 * plain
    let readingSeconds = Double(reading) * presumedReadingSeconds
    let chance = records[kind.rawValue].chance
    var best = (count: 0, rate: 0.0)
    // Where guesses that all come true would gain nothing, there is nothing to try: a draft model that is as large as
    // the model itself would only read the prompt once more.
    var couldPay = false
    var (expected, all) = (1.0, 1.0)
    // Widths that were not seen yet are tried from narrow to wide: what they cost is a guess as well.
    for count in 1...min(limit, 2 * costs.widest - 1) {
      all *= chance
      expected += all
      let seconds = roundSeconds(kind, count)
      guard seconds + readingSeconds - plain <= budget else { break }
      couldPay = couldPay || Double(count + 1) * plain >= Self.leastGain * seconds
      if expected / seconds > best.rate { best = (count, expected / seconds) }
    }
    guard best.count > 0, couldPay else { return 0 }
    if best.rate * plain >= Self.leastGain {
      records[kind.rawValue].declinedCount = 0
      records[kind.rawValue].patience = Record.leastPatience
      return best.count
    }
    // Now and then it is tried all the same: texts change.
    records[kind.rawValue].declinedCount += 1
    guard records[kind.rawValue].declinedCount >= records[kind.rawValue].patience else { return 0 }
    records[kind.rawValue].declinedCount = 0
    records[kind.rawValue].patience = min(2 * records[kind.rawValue].patience, Record.greatestPatience)
    return best.count
  }

  /// Whether one more guess is worth its row, `chance` being that it and all before it come true.
  package func isWorthwhile(chance: Double, guess index: Int) -> Bool {
    guard let plain = costs.plain else { return false }
    let more = costs.estimate(rows: index + 2) - costs.estimate(rows: index + 1) + guessSeconds
    return chance * plain > more
  }

  private func roundSeconds(_ kind: Kind, _ count: Int) -> Double {
    costs.estimate(rows: count + 1) + (kind == .draftModel ? Double(count) * presumedGuessSeconds : 0)
  }

  private var presumedGuessSeconds: Double { guessSeconds > 0 ? guessSeconds : guessShare * (costs.plain ?? 0) }

  private var presumedReadingSeconds: Double {
    readingSeconds > 0 ? readingSeconds : guessShare * costs.promptRow
  }

  // MARK: Learning

  /// A text begins: its passes may cost something else, and its guesses come true more or less often.
  package mutating func begin() {
    (plainSamples, leastPlain) = (0, .infinity)
    for kind in records.indices { records[kind].begin() }
  }

  package mutating func recordPrompt(rows: Int, _ seconds: Double) { costs.recordPrompt(rows: rows, seconds) }

  /// What the draft model took to read `count` tokens of a prompt.
  package mutating func recordReading(_ count: Int, _ seconds: Double) {
    // The first one touches memory for the first time.
    let share = seconds / Double(count)
    readingSeconds = readingSeconds == 0 ? share : min(readingSeconds, share)
    lose(seconds)
  }

  package mutating func recordPlain(_ seconds: Double) {
    plainSamples += 1
    leastPlain = min(leastPlain, seconds)
    if plainSamples <= 2 { costs.rescale(toPlain: leastPlain) } else { costs.record(rows: 1, seconds) }
    roundsSincePlain = 0
    earn(tokens: 1, won: 0)
  }

  /// What one guess of the draft model took.
  package mutating func recordGuess(_ seconds: Double) {
    guessSeconds = guessSeconds == 0 ? seconds : guessSeconds + (min(seconds, 2 * guessSeconds) - guessSeconds) * 0.2
  }

  /// Time that brought no guess.
  package mutating func recordWaste(_ seconds: Double) { lose(seconds) }

  /// A round's pass; returns the seconds that count.
  package mutating func recordRound(rows: Int, pass seconds: Double) -> Double {
    roundsSincePlain += 1
    return costs.record(rows: rows, seconds)
  }

  /// How a round went, once that is known.
  /// - Parameter isRefuted: false where the text ended before all guesses were looked at.
  package mutating func settle(_ kind: Kind, seconds: Double, confirmed: Int, isRefuted: Bool) {
    guard let plain = costs.plain else { return }
    for _ in 0..<confirmed { adapt(kind, 1) }
    if isRefuted { adapt(kind, 0) }
    earn(tokens: confirmed + 1, won: Double(confirmed + 1) * plain - seconds)
  }

  private mutating func earn(tokens: Int, won seconds: Double) {
    guard let plain = costs.plain else { return }
    lose(-seconds - Self.share * Double(tokens) * plain)
  }

  /// A machine that slept meanwhile does not end guessing for ever.
  private mutating func lose(_ seconds: Double) {
    let most = Self.greatestCredit * (costs.plain ?? 0)
    credit = min(max(credit - seconds, -most), most)
  }

  private mutating func adapt(_ kind: Kind, _ outcome: Double) {
    records[kind.rawValue].chance += Self.adaption * (outcome - records[kind.rawValue].chance)
  }
}
