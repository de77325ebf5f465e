import LacunaEngine
import Testing

/// A machine and a text in miniature: passes cost what they are told to, guesses come true as often as they are told to.
@Suite("When speculation pays")
struct SpeculationPlannerTests {
  private struct Machine {
    /// Of a pass of one row.
    var rowShare: Double
    var guessShare = 0.0
    /// Relative spread of every time.
    var noise = 0.0
  }

  /// Decodes `count` tokens; returns the time taken over that of plain passes.
  private func time(
    _ machine: Machine, kind: SpeculationPlanner.Kind = .shortMatch, tokens count: Int, seed: UInt64 = 1,
    chance: (Int) -> Double
  ) -> Double {
    var planner = SpeculationPlanner(guessCapacity: 15, guessShare: machine.guessShare)
    var random = SeededRandom(seed: seed)
    func noisy(_ seconds: Double) -> Double { seconds * (1 + machine.noise * random.uniform()) }
    var (seconds, plain, done) = (0.0, 0.0, 0)
    planner.recordPrompt(rows: 32, 0.1 * (1 + machine.rowShare * 31))
    while done < count {
      let guesses = planner.plan(kind, limit: min(15, count - done - 1))
      let pass = noisy(0.1 * (1 + machine.rowShare * Double(guesses)))
      seconds += pass
      guard guesses > 0 else {
        planner.recordPlain(pass)
        done += 1
        continue
      }
      let guessing = noisy(0.1 * machine.guessShare * Double(guesses))
      seconds += guessing
      if machine.guessShare > 0 { planner.recordGuess(guessing / Double(guesses)) }
      let counted = planner.recordRound(rows: guesses + 1, pass: pass)
      var confirmed = 0
      while confirmed < guesses, random.uniform() < chance(done + confirmed) { confirmed += 1 }
      planner.settle(kind, seconds: counted + guessing, confirmed: confirmed, isRefuted: confirmed < guesses)
      done += confirmed + 1
    }
    for _ in 0..<count { plain += noisy(0.1) }
    return seconds / plain
  }

  @Test("guesses that never come true cost less than 3 in 100", arguments: [64, 200, 2000], [0.02, 0.1, 0.5, 1, 3])
  func hopeless(tokens: Int, rowShare: Double) {
    #expect(time(Machine(rowShare: rowShare), tokens: tokens) { _ in 0 } < 1.03)
    #expect(
      time(Machine(rowShare: rowShare, guessShare: 0.2), kind: .draftModel, tokens: tokens) { _ in 0 } < 1.03)
  }

  @Test("no rate of success makes it slower than 0.97 of plain decoding", arguments: [0.02, 0.1, 0.4, 1])
  func never(rowShare: Double) {
    for chance in [0.1, 0.3, 0.5, 0.7, 0.9] {
      for seed in 0..<5 as Range<UInt64> {
        #expect(
          time(Machine(rowShare: rowShare), tokens: 400, seed: seed) { _ in chance } < 1.03,
          "\(chance) at \(rowShare), seed \(seed)")
      }
    }
  }

  @Test("good guesses on a machine where rows are cheap are taken")
  func pays() {
    #expect(time(Machine(rowShare: 0.05), kind: .longMatch, tokens: 400) { _ in 0.95 } < 0.35)
    #expect(time(Machine(rowShare: 0.05), tokens: 400) { _ in 0.6 } < 0.75)
    #expect(time(Machine(rowShare: 0.05, guessShare: 0.1), kind: .draftModel, tokens: 400) { _ in 0.8 } < 0.65)
  }

  /// Forty answers of 30 tokens to prompts of 60, which the draft model has to read before its first guess; returns the
  /// time that answering took over that of plain passes.
  private func timeOfAnswers(guessShare: Double, readingShare: Double, chance: Double) -> Double {
    var planner = SpeculationPlanner(guessCapacity: 15, guessShare: guessShare)
    var random = SeededRandom(seed: 1)
    var seconds = 0.0
    for _ in 0..<40 {
      // Tokens that the draft model has not read.
      var (lag, done) = (60, 0)
      while done < 30 {
        let reading = lag > 16 ? lag : 0
        let guesses = planner.plan(.draftModel, limit: min(15, 30 - done - 1), reading: reading)
        let pass = 0.1 * (1 + 0.02 * Double(guesses))
        seconds += pass
        guard guesses > 0 else {
          planner.recordPlain(pass)
          done += 1
          lag += 1
          continue
        }
        if reading > 0 {
          planner.recordReading(reading, 0.1 * readingShare * Double(reading))
          seconds += 0.1 * readingShare * Double(reading)
        }
        // Reading brings the first guess's logits.
        let passes = reading > 0 ? guesses - 1 : guesses
        if passes > 0 { planner.recordGuess(0.1 * guessShare) }
        let guessing = 0.1 * guessShare * Double(passes)
        seconds += guessing
        let counted = planner.recordRound(rows: guesses + 1, pass: pass)
        var confirmed = 0
        while confirmed < guesses, random.uniform() < chance { confirmed += 1 }
        planner.settle(.draftModel, seconds: counted + guessing, confirmed: confirmed, isRefuted: confirmed < guesses)
        done += confirmed + 1
        lag = 0
      }
    }
    return seconds / (40 * 30 * 0.1)
  }

  @Test("reading prompts with the draft model is in the account", arguments: [0, 0.3, 0.6, 0.9])
  func readingIsCounted(chance: Double) {
    for (guessShare, readingShare) in [(0.01, 0.001), (0.1, 0.01), (0.3, 0.05), (0.1, 0.3)] {
      #expect(
        timeOfAnswers(guessShare: guessShare, readingShare: readingShare, chance: chance) < 1.03,
        "a guess takes \(guessShare), a token of a prompt \(readingShare) of a pass")
    }
  }

  @Test("a draft model that reads at its size's cost and knows the answers is used from the first ones on")
  func readingPaysBack() {
    #expect(timeOfAnswers(guessShare: 0.02, readingShare: 0.002, chance: 0.95) < 0.4)
    #expect(timeOfAnswers(guessShare: 0.1, readingShare: 0.01, chance: 0.9) < 0.7)
  }

  @Test("it switches itself off when the text changes, and on again")
  func changes() {
    // Copying, then writing, then copying again.
    func chance(_ place: Int) -> Double { (300..<900).contains(place) ? 0 : 0.97 }
    let copying = time(Machine(rowShare: 0.08), tokens: 300, chance: chance)
    #expect(copying < 0.5)
    let all = time(Machine(rowShare: 0.08), tokens: 1500, chance: chance)
    // 900 tokens are copied at about `copying`, 600 are not.
    #expect(all < (900 * 0.55 + 600 * 1.05) / 1500)
  }

  /// A text after another by the same planner: the time that the second took over that of plain passes.
  private func timeAfter(
    _ first: (pass: Double, count: Int, chance: Double), _ second: (pass: Double, count: Int, chance: Double),
    kind: SpeculationPlanner.Kind = .longMatch, guessShare: Double = 0
  ) -> Double {
    var planner = SpeculationPlanner(guessCapacity: 15, guessShare: guessShare)
    var random = SeededRandom(seed: 1)
    var seconds = 0.0
    for text in [first, second] {
      planner.begin()
      var done = 0
      seconds = 0
      while done < text.count {
        let guesses = planner.plan(kind, limit: min(15, text.count - done - 1))
        let pass = text.pass * (1 + 0.05 * Double(guesses))
        guard guesses > 0 else {
          planner.recordPlain(pass)
          (seconds, done) = (seconds + pass, done + 1)
          continue
        }
        let guessing = text.pass * guessShare * Double(guesses)
        if guessShare > 0 { planner.recordGuess(text.pass * guessShare) }
        let counted = planner.recordRound(rows: guesses + 1, pass: pass)
        var confirmed = 0
        while confirmed < guesses, random.uniform() < text.chance { confirmed += 1 }
        planner.settle(kind, seconds: counted + guessing, confirmed: confirmed, isRefuted: confirmed < guesses)
        (seconds, done) = (seconds + pass + guessing, done + confirmed + 1)
      }
    }
    return seconds / (second.pass * Double(second.count))
  }

  @Test("a text whose passes cost less than the last one's is not slowed by what was known", arguments: [1.2, 1.5, 3])
  func cheaperPasses(factor: Double) {
    // 16 and a half passes and 1.5 in 100 of 1,000.
    for (kind, guessShare) in [(SpeculationPlanner.Kind.longMatch, 0.0), (.draftModel, 0.1)] {
      let time = timeAfter((factor, 2000, 0.97), (1, 1000, 0), kind: kind, guessShare: guessShare)
      #expect(time < 1.032, "\(kind)")
    }
  }

  @Test("a text that guesses help is not spoilt by one that they did not help")
  func hopeReturns() {
    #expect(timeAfter((1, 1200, 0), (1, 400, 0.97)) < 0.5)
    #expect(timeAfter((1, 1200, 0), (1, 400, 0.97), kind: .draftModel, guessShare: 0.05) < 0.6)
  }

  @Test("of what texts have won, no more than 16 and a half passes can be lost again")
  func creditIsBounded() {
    for lost in [16, 16.6] {
      var planner = SpeculationPlanner(guessCapacity: 15)
      for _ in 0..<3 { planner.recordPlain(0.1) }
      for _ in 0..<100 {
        _ = planner.recordRound(rows: 2, pass: 0.1)
        planner.settle(.longMatch, seconds: 0.1, confirmed: 1, isRefuted: false)
      }
      planner.recordPlain(0.1)
      planner.recordWaste(lost * 0.1)
      #expect((planner.plan(.longMatch, limit: 1) > 0) == (lost == 16), "\(lost) passes")
    }
  }

  @Test("a draft model as large as the model itself is never asked")
  func equalDraft() {
    #expect(time(Machine(rowShare: 0.02, guessShare: 1), kind: .draftModel, tokens: 600) { _ in 1 } == 1)
  }

  @Test("noise of the clock does not break the bound")
  func noise() {
    for seed in 0..<10 as Range<UInt64> {
      #expect(time(Machine(rowShare: 0.3, noise: 0.3), tokens: 1000, seed: seed) { _ in 0.2 } < 1.04)
    }
  }
}
