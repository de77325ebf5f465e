import LacunaEngine
import Testing

@Suite("Work side by side")
struct WorkGroupTests {
  private struct Text: Equatable {
    var tokens: [TokenID] = []
    var bits: [UInt32] = []
    var finish: Generation.Finish?

    mutating func add(_ event: Generation.Event) {
      if let token = event.token {
        tokens.append(token)
        bits.append(event.logProbability.bitPattern)
      }
      finish = event.finish ?? finish
    }
  }

  /// Prompts of very different lengths, one of them longer than a pass.
  private static let lengths = [3, 600, 1, 40, 12, 33]

  private func generation(_ index: Int, _ engine: Engine, tokens: Int = 12) throws -> Generation {
    let session = try engine.makeSession()
    try session.append(Synthetic.tokens(Self.lengths[index], seed: UInt64(index + 1)))
    var options = Generation.Options()
    options.maxTokens = tokens + index
    options.seed = UInt64(index)
    let stages = [StageDescription("temperature", ["t": .number(1.5)]), StageDescription("dist")]
    return try Generation(
      session: session, chain: try SamplerChain(stages, vocabularySize: engine.config.vocabSize), options: options)
  }

  private func alone(_ engine: Engine) throws -> [Text] {
    try Self.lengths.indices.map { index in
      var generation = try generation(index, engine)
      var text = Text()
      while let event = try generation.next() { text.add(event) }
      return text
    }
  }

  private func together(_ engine: Engine, width: Int, budget: KVBudget = .ofMachine) throws -> [Text] {
    var texts = Self.lengths.map { _ in Text() }
    let group = WorkGroup(count: texts.count, width: width, budget: budget) { index in
      GenerationWork(try generation(index, engine)) { texts[index].add($0) }
    } finish: { _, error in
      #expect(error == nil)
    }
    try group.run()
    return texts
  }

  @Test("generations side by side draw the tokens of each alone, to the last bit", arguments: InvarianceTests.forms)
  func generations(form: InvarianceTests.Form) throws {
    let single = try Synthetic.engine(type: form.type, threads: 1, kv: form.kv, precision: form.precision)
    let expected = try alone(single)
    for threads in [1, 2] {
      let engine = try Synthetic.engine(type: form.type, threads: threads, kv: form.kv, precision: form.precision)
      for width in [2, 6] {
        #expect(try together(engine, width: width) == expected, "\(threads) threads, \(width) side by side")
      }
    }
  }

  @Test("a step of one waits for no long prompt of another, and shares its passes")
  func mixing() throws {
    let engine = try Synthetic.engine()
    let before = engine.passTally
    var order: [Int] = []
    let group = WorkGroup(count: 2, width: 2) { index in
      // 600 tokens are two passes.
      GenerationWork(try generation(index == 0 ? 1 : 0, engine, tokens: 4)) { _ in order.append(index) }
    } finish: { _, error in
      #expect(error == nil)
    }
    try group.run()
    #expect(engine.passTally.passes - before.passes == 6)
    #expect(order.prefix(3) == [1, 0, 1], "\(order)")
  }

  @Test("items begin in order, no more at a time than the width; each is told of once")
  func order() throws {
    let engine = try Synthetic.engine()
    var live: Set<Int> = []
    var started: [Int] = []
    var finished: Set<Int> = []
    var most = 0
    let group = WorkGroup(count: Self.lengths.count, width: 3) { index in
      started.append(index)
      live.insert(index)
      most = max(most, live.count)
      return GenerationWork(try generation(index, engine)) { _ in }
    } finish: { index, _ in
      live.remove(index)
      #expect(finished.insert(index).inserted)
    }
    try group.run()
    #expect(started == Array(Self.lengths.indices))
    #expect(finished.count == Self.lengths.count && most == 3)
  }

  @Test("one that fails, at its beginning or under way, leaves the others as they were")
  func failures() throws {
    let engine = try Synthetic.engine()
    let expected = try alone(engine)
    var texts = expected.map { _ in Text() }
    var failures: [Int: LacunaError] = [:]
    let group = WorkGroup(count: texts.count, width: 4) { index in
      if index == 2 { throw LacunaError(.invalidArgument, "never began") }
      return GenerationWork(try generation(index, engine)) { event in
        if index == 4, texts[4].tokens.count == 3 { throw LacunaError(.invalidArgument, "gave up") }
        texts[index].add(event)
      }
    } finish: { index, error in
      failures[index] = error as? LacunaError
    }
    try group.run()
    #expect(failures.mapValues(\.message) == [2: "never began", 4: "gave up"])
    for index in texts.indices where failures[index] == nil { #expect(texts[index] == expected[index]) }
  }

  @Test("logits that are not finite fail their own request only")
  func notFinite() throws {
    let config = Synthetic.odd
    let weights = try ModelWeights.random(config: config, type: .bf16, seed: 7)
    let rowOfThree = UnsafeMutableRawPointer(mutating: weights.embedding.data) + 3 * config.hiddenSize * 2
    rowOfThree.storeBytes(of: 0x7FC0, as: UInt16.self)
    let engine = try Engine(config: config, weights: weights)
    let expected = try engine.makeSession().bits(after: [4, 5])
    var failures: [Int: LacunaError.Code] = [:]
    var bits: [UInt32] = []
    let sessions = try [[4, 3], [4, 5]].map { (tokens: [TokenID]) in
      let session = try engine.makeSession()
      try session.append(tokens)
      return session
    }
    let group = WorkGroup(count: 2, width: 2) {
      LogitsWork([sessions[$0]])
    } finish: { index, error in
      failures[index] = (error as? LacunaError)?.code
      if error == nil { bits = try sessions[index].logits().map(\.bitPattern) }
    }
    try group.run()
    #expect(failures == [0: .notFinite] && bits == expected)
  }

  @Test("with no memory to spare items go one after the other, and give the same")
  func budget() throws {
    let engine = try Synthetic.engine()
    #expect(try together(engine, width: 6, budget: KVBudget(bytes: 0)) == alone(engine))
  }

  @Test("two that wait for one session both get its logits")
  func oneSession() throws {
    let engine = try Synthetic.engine()
    let session = try engine.makeSession()
    try session.append(Synthetic.tokens(600))
    let works = [LogitsWork([session]), LogitsWork([session])]
    let group = WorkGroup(count: 2, width: 2) {
      works[$0]
    } finish: { _, error in
      #expect(error == nil)
    }
    try group.run()
    let expected = try engine.makeSession().bits(after: Synthetic.tokens(600))
    #expect(try session.logits().map(\.bitPattern) == expected)
  }

  @Test("a session that is changed while its pass is due fails the one that waits, and nothing else")
  func changedSession() throws {
    let engine = try Synthetic.engine()
    for keep in [2, 25] {
      let session = try engine.makeSession()
      try session.append(Synthetic.tokens(20))
      let work = LogitsWork([session])
      #expect(try work.advance()?.count == 1)
      if keep < session.count { try session.rewind(to: keep) } else { try session.append([1, 2, 3, 4, 5]) }
      if keep < 20 { #expect(throws: LacunaError.self) { try work.run() } } else { try work.run() }
      let tokens = session.tokens
      #expect(tokens.count == keep)
      #expect(try session.logits().map(\.bitPattern) == engine.makeSession().bits(after: tokens))
    }
  }

  @Test("work that is asked to stop does so before its next pass")
  func cancellation() throws {
    let engine = try Synthetic.engine()
    let before = engine.passTally.passes
    var asked = 0
    let work = GenerationWork(try generation(0, engine, tokens: 50)) { _ in }
    let error = #expect(throws: LacunaError.self) {
      try work.run {
        asked += 1
        return asked > 3
      }
    }
    #expect(error?.code == .cancelled && engine.passTally.passes == before + 3)
  }
}
