import LacunaEngine
import Testing

/// Plain decoding is the reference: whatever is guessed, every event is the same to the last bit.
@Suite("Speculation changes no token")
struct SpeculationTests {
  /// Ends in the middle of a repetition.
  private static let prompt = Array([[0], (0..<5).flatMap { _ in Synthetic.tokens(9, seed: 4) }].joined().dropLast(3))

  enum Guesser: CaseIterable, Sendable {
    case lookup, sameModel, otherModel, both, adjusting
  }

  static let chains = [
    "greedy", "penalties:repetition=1.3,frequency=0.2 greedy", "temperature:0.3 dist",
    "top_k:40 top_p:0.95 temperature:1.5 dist", "xtc:probability=0.5,threshold=0.05 temperature:2 dist",
    "dry:multiplier=2 min_p:0.02 dist", "mirostat:tau=3", "temperature:2 mirostat_v2:tau=4",
    "no_repeat_ngram:2 tfs:0.97 adaptive_p:0.3",
  ]

  private func engine(seed: UInt64 = 7, type: WeightType = .bf16, kv: Engine.KVType = .bf16, context: Int = 1024)
    throws -> Engine
  {
    var config = Synthetic.odd
    config.maxPositionEmbeddings = context
    var options = Engine.Options()
    options.threadCount = 2
    options.kvType = kv
    return try Engine(
      config: config, weights: try ModelWeights.random(config: config, type: type, seed: seed),
      tokenizer: AlphabetTokenizer(), options: options)
  }

  private func speculation(_ guesser: Guesser, _ engine: Engine, count: Int = 5) throws -> Speculation {
    let options: Speculation.Options =
      switch guesser {
      case .lookup: .init(lookup: 1, guessCount: count)
      case .sameModel: .init(draft: engine, guessCount: count)
      case .otherModel: .init(draft: try self.engine(seed: 8), guessCount: count)
      case .both: .init(lookup: 2, draft: engine, guessCount: count)
      case .adjusting: .init(lookup: 1, draft: engine)
      }
    return try Speculation(engine: engine, options: options)
  }

  @Test("what pays is an engine's to know; a fixed number of guesses keeps out of it")
  func enginesKeepRecords() throws {
    let engine = try engine()
    func record(_ lookup: Int, count: Int? = nil) throws -> GuessingRecord {
      try Speculation(engine: engine, options: .init(lookup: lookup, guessCount: count)).record
    }
    let known = try record(2)
    #expect(try record(2) === known)
    #expect(try record(3) !== known)
    #expect(try record(2, count: 4) !== known)
  }

  @Test("sessions that guess in the same way share a record, which does not keep their draft model alive")
  func recordsAreShared() throws {
    let records = GuessingRecords()
    func record(_ lookup: Int?, _ draft: Engine?) -> GuessingRecord {
      records.record(lookup: lookup, draft: draft) { SpeculationPlanner(guessCapacity: 15) }
    }
    var draft: Engine? = try engine(seed: 8)
    let other = try engine(seed: 9)
    let byLookup = record(2, nil)
    let byDraft = record(nil, draft)
    #expect(record(2, nil) === byLookup)
    #expect(record(nil, draft) === byDraft)
    #expect(byLookup !== byDraft)
    #expect(record(3, nil) !== byLookup)
    #expect(record(nil, other) !== byDraft)
    #expect(record(2, draft) !== byDraft)
    weak let known = draft
    draft = nil
    #expect(known == nil)
    #expect(record(nil, nil) !== byDraft)
  }

  /// An event as text, floats by their bits.
  private func record(_ event: Generation.Event) -> String {
    let alternatives = event.alternatives.map { "\($0.token):\($0.logProbability.bitPattern)" }
    return "\(String(describing: event.token)) \(event.logProbability.bitPattern) \(alternatives) \(event.text) "
      + "\(event.takenBack) \(String(describing: event.finish))"
  }

  private func run(
    _ engine: Engine, _ chain: String, _ options: Generation.Options, prompt: [TokenID] = Self.prompt,
    between: (Session) throws -> Void = { _ in }
  ) throws -> (events: [String], tally: Speculation.Tally?, session: Session) {
    let session = try engine.makeSession()
    try session.append(prompt)
    var generation = try Generation(
      session: session, chain: try SamplerChain.native(chain, vocabularySize: engine.config.vocabSize),
      options: options)
    var events: [String] = []
    while let event = try generation.next() {
      events.append(record(event))
      try between(session)
    }
    return (events, generation.speculated, session)
  }

  @Test("under every chain, events have the bits of plain decoding", arguments: Guesser.allCases, chains)
  func sameBits(guesser: Guesser, chain: String) throws {
    let engine = try engine()
    var options = Generation.Options()
    options.maxTokens = 48
    options.seed = 11
    options.alternatives = 2
    let plain = try run(engine, chain, options)
    options.speculation = try speculation(guesser, engine)
    let guessed = try run(engine, chain, options)
    #expect(guessed.events == plain.events)
    #expect(guessed.session.tokens == plain.session.tokens)
    #expect(try guessed.session.logits().map(\.bitPattern) == plain.session.logits().map(\.bitPattern))
    let tally = try #require(guessed.tally)
    #expect(tally.accepted <= tally.drafted)
    #expect(tally.passes + tally.accepted >= plain.session.count - Self.prompt.count)
  }

  @Test("quantized weights and keys and values make no difference", arguments: [Engine.KVType.bf16, .fp8])
  func quantized(kv: Engine.KVType) throws {
    let engine = try engine(type: .e4m3, kv: kv)
    var options = Generation.Options()
    options.maxTokens = 60
    let plain = try run(engine, "temperature:0.5 dist", options)
    options.speculation = try speculation(.both, engine, count: 15)
    #expect(try run(engine, "temperature:0.5 dist", options).events == plain.events)
  }

  @Test("hooks that edit, replace, rewind and stop see and do the same", arguments: Guesser.allCases)
  func hooks(guesser: Guesser) throws {
    let engine = try engine()
    func events(_ speculation: Speculation?) throws -> (events: [String], seen: [String]) {
      var options = Generation.Options()
      options.maxTokens = 40
      options.stop = ["zq"]
      options.speculation = speculation
      var seen: [String] = []
      var steps = 0
      options.onLogits = { logits, step in
        seen.append("\(step) \(logits[5].bitPattern)")
        logits[9] += Float(step % 3)
      }
      options.onToken = { token, logProbability in
        steps += 1
        seen.append("\(token) \(logProbability.bitPattern)")
        switch steps {
        case 7: return .replace(33)
        case 12: return .rewind(4)
        case 20: return .rewind(0)
        case 31: return .rewind(9)
        case 60: return .stop
        default: return .keep
        }
      }
      options.onText = { text in
        seen.append(text)
        return text
      }
      return (try run(engine, "temperature:0.4 mirostat_v2:tau=2", options).events, seen)
    }
    let plain = try events(nil)
    let guessed = try events(try speculation(guesser, engine))
    #expect(guessed.events == plain.events)
    #expect(guessed.seen == plain.seen)
  }

  @Test("a stage from outside runs as often as in plain decoding, and in the same order")
  func externalStages() throws {
    final class Watcher: SamplerChain.ExternalStage {
      var log: [String] = []
      let isSelector = false
      func apply(_ logits: UnsafeMutableBufferPointer<Float>, _ context: SamplingContext) {
        log.append("apply \(context.position) \(context.tokens.count)")
        logits[Int(context.tokens[context.tokens.count - 1])] -= 1
      }
      func pick(_ logits: UnsafeMutableBufferPointer<Float>, _ context: SamplingContext) -> TokenID { 0 }
      func accept(_ token: TokenID) { log.append("accept \(token)") }
      func fork() -> any SamplerChain.ExternalStage {
        log.append("fork")
        return self
      }
      func rewind(toAccepted count: Int) { log.append("rewind \(count)") }
    }
    let engine = try engine()
    func log(_ speculation: Speculation?) throws -> [String] {
      let watcher = Watcher()
      var options = Generation.Options()
      options.maxTokens = 30
      options.speculation = speculation
      let session = try engine.makeSession()
      try session.append(Self.prompt)
      var generation = try Generation(
        session: session,
        chain: try SamplerChain(
          [.external(name: "watcher", watcher), .native(StageDescription("dist"))],
          vocabularySize: engine.config.vocabSize), options: options)
      while let event = try generation.next() { watcher.log.append("event \(String(describing: event.token))") }
      return watcher.log
    }
    let plain = try log(nil)
    for guesser in Guesser.allCases { #expect(try log(try speculation(guesser, engine)) == plain, "\(guesser)") }
  }

  @Test("between tokens the session reads, forks, scores and saves as in plain decoding")
  func sessionBetween() throws {
    let engine = try engine()
    var options = Generation.Options()
    options.maxTokens = 24
    func observe(_ speculation: Speculation?) throws -> [[UInt32]] {
      var seen: [[UInt32]] = []
      options.speculation = speculation
      let result = try run(engine, "greedy", options) { session in
        #expect(session.tokens.count == session.count)
        let fork = try session.fork()
        seen.append(try fork.bits(after: [3, 4]))
        seen.append(try session.fork().score(appending: [5, 6, 7]).map(\.logProbability.bitPattern))
        if session.count % 3 == 0 { seen.append(try session.logits().map(\.bitPattern)) }
      }
      seen.append(try result.session.logits().map(\.bitPattern))
      return seen
    }
    let plain = try observe(nil)
    for guesser in Guesser.allCases { #expect(try observe(try speculation(guesser, engine)) == plain, "\(guesser)") }
  }

  @Test("a session that is changed after a guess computes as if there had been none")
  func changedSession() throws {
    let engine = try engine()
    var options = Generation.Options()
    options.maxTokens = 2
    options.speculation = try speculation(.sameModel, engine, count: 15)
    let session = try run(engine, "greedy", options).session
    let sharer = try session.fork()
    let tokens = session.tokens
    try session.rewind(to: tokens.count - 1)
    try session.append([8, 9])
    let other = try engine.makeSession()
    #expect(try session.logits().map(\.bitPattern) == other.bits(after: tokens.dropLast() + [8, 9]))
    let scores = try sharer.score(appending: [10, 11, 12])
    let plain = try engine.makeSession()
    try plain.append(tokens)
    #expect(try plain.score(appending: [10, 11, 12]) == scores)
  }

  @Test("the model itself as its draft is always right, and each pass yields all its guesses")
  func perfectDraft() throws {
    let engine = try engine()
    for chain in ["greedy", "temperature:1.2 dist", "temperature:0.8 mirostat_v2"] {
      var options = Generation.Options()
      options.maxTokens = 40
      options.speculation = try speculation(.sameModel, engine, count: 7)
      let result = try run(engine, chain, options)
      let tally = try #require(result.tally)
      // The prompt's pass yields one token, each further one eight.
      #expect(result.events.count == 41, "no EOS in this text")
      #expect(tally.accepted == tally.drafted, "\(chain)")
      #expect(tally.passes == 6, "\(chain)")
    }
  }

  @Test("guesses stay within max_tokens and the context")
  func limits() throws {
    let engine = try engine(context: 50)
    var options = Generation.Options()
    options.speculation = try speculation(.sameModel, engine, count: 15)
    let result = try run(engine, "greedy", options)
    #expect(result.session.count == 50)
    #expect(result.events.last?.contains("context") == true)
    options.maxTokens = 3
    let short = try run(engine, "greedy", options)
    #expect(try #require(short.tally).drafted == 1, "behind the third token no logits are needed")
  }

  @Test("a draft model of another vocabulary is refused, and so are numbers out of range")
  func refused() throws {
    let engine = try engine()
    var config = Synthetic.odd
    config.vocabSize = 200
    let other = try Synthetic.engine(config)
    for options: Speculation.Options in [
      .init(draft: other), .init(draft: try Synthetic.engine()), .init(lookup: 0), .init(lookup: 17),
      .init(lookup: 3, guessCount: 16), .init(lookup: 3, guessCount: 0),
    ] {
      #expect(throws: LacunaError.self) { try Speculation(engine: engine, options: options) }
    }
    var options = Generation.Options()
    options.speculation = try Speculation(engine: other, options: .init(lookup: 3))
    #expect(throws: LacunaError.self) { try run(engine, "greedy", options) }
  }
}

@Suite("Prompt lookup")
struct PromptLookupTests {
  @Test("the longest match wins, the latest of equals, and copies run on into themselves")
  func matches() {
    func guesses(_ tokens: [TokenID], _ limit: Int) -> [TokenID]? {
      let lookup = PromptLookup(matchLength: 2)
      return lookup.match(tokens).map { lookup.guesses($0, in: tokens, limit: limit) }
    }
    #expect(guesses([1, 2, 3, 4, 1, 2], 3) == [3, 4, 1])
    #expect(guesses([1, 2, 8, 1, 2, 9, 1, 2], 1) == [9])
    #expect(guesses([5, 1, 2, 8, 7, 1, 2, 9, 5, 1, 2], 1) == [8])
    #expect(guesses([1, 2, 1, 2], 5) == [1, 2, 1, 2, 1])
    #expect(guesses([4, 4, 4], 4) == [4, 4, 4, 4])
  }

  @Test("without a match of the length asked for there is no guess")
  func none() {
    for tokens: [TokenID] in [[], [1], [1, 1], [1, 2, 3, 2], [1, 2, 3, 4]] {
      #expect(PromptLookup(matchLength: 2).match(tokens) == nil, "\(tokens)")
    }
  }
}
