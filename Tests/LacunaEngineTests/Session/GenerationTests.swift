import LacunaEngine
import Testing

@Suite("Generation")
struct GenerationTests {
  private func session(_ prompt: [TokenID] = [0, 2, 3]) throws -> Session {
    let config = Synthetic.odd
    let engine = try Engine(
      config: config, weights: try ModelWeights.random(config: config, type: .bf16, seed: 7),
      tokenizer: AlphabetTokenizer())
    let session = try engine.makeSession()
    try session.append(prompt)
    return session
  }

  private func chain(_ text: String = "greedy") throws -> SamplerChain {
    try SamplerChain(try SamplerChain.parse(text), vocabularySize: Synthetic.odd.vocabSize)
  }

  /// Options whose hook dictates the tokens, and then ends.
  private func dictation(_ tokens: [TokenID]) -> Generation.Options {
    var options = Generation.Options()
    var rest = tokens[...]
    options.onToken = { _, _ in rest.popFirst().map { .replace($0) } ?? .stop }
    return options
  }

  private func run(_ generation: inout Generation) throws -> [Generation.Event] {
    var events: [Generation.Event] = []
    while let event = try generation.next() { events.append(event) }
    return events
  }

  @Test("greedy tokens are the argmax of each step, with their log-probability")
  func greedy() throws {
    let session = try session()
    let reference = try session.fork()
    var options = Generation.Options()
    options.maxTokens = 12
    options.alternatives = 3
    var generation = try Generation(session: session, chain: try chain(), options: options)
    let events = try run(&generation)
    #expect(events.last?.finish == .length)
    for event in events.dropLast() {
      let logits = try reference.logits()
      let best = logits.indices.max { logits[$0] < logits[$1] }!
      #expect(event.token == TokenID(best))
      #expect(event.alternatives.count == 3)
      #expect(event.alternatives[0].token == event.token)
      #expect(event.alternatives[0].logProbability == event.logProbability)
      let scores = try reference.score(appending: [TokenID(best)])
      #expect(abs(scores[0].logProbability - event.logProbability) < 1e-6)
    }
  }

  @Test("a grammar holds every draw, and ends the text when it is whole")
  func grammar() throws {
    for (pattern, chainText) in [
      ("(cb|xyz)c{2,30}", "greedy"), ("[b-e]{5}", "temperature:2 dist"), ("q?r", "mirostat"),
    ] {
      let grammar = try Grammar(regex: pattern)
      var options = Generation.Options()
      options.grammar = grammar
      options.maxTokens = 60
      for seed in UInt64(0)..<8 {
        options.seed = seed
        var generation = try Generation(session: try session(), chain: try chain(chainText), options: options)
        let events = try run(&generation)
        #expect(events.last?.finish == .grammar)
        #expect(try grammar.accepts(events.map(\.text).joined()))
      }
    }
  }

  @Test("what a grammar leaves no choice about is not drawn, and a rewind takes the grammar back")
  func forcedTokens() throws {
    var options = Generation.Options()
    options.grammar = try Grammar(regex: "bc[de]")
    var step = 0
    options.onToken = { _, _ in
      step += 1
      return step == 3 ? .rewind(2) : .keep
    }
    var generation = try Generation(session: try session(), chain: try chain(), options: options)
    let events = try run(&generation)
    #expect(events.map(\.takenBack) == [0, 0, 2, 0, 0, 0])
    #expect(events.map(\.isForced) == [true, true, false, true, true, false])
    #expect(events.last?.finish == .grammar)
  }

  @Test("a hook cannot leave the grammar")
  func hookAgainstGrammar() throws {
    // A letter that the grammar has not, and the end of the answer.
    for token: TokenID in [27, Synthetic.odd.eosTokenIDs[0]] {
      var options = dictation([token])
      options.grammar = try Grammar(regex: "bc")
      var generation = try Generation(session: try session(), chain: try chain(), options: options)
      let error = #expect(throws: LacunaError.self) { _ = try generation.next() }
      #expect(error?.message.contains("grammar") == true)
      #expect(generation.generatedCount == 0)
    }
  }

  @Test("one seed draws one text, and another stream another")
  func seeds() throws {
    func tokens(seed: UInt64, stream: UInt64) throws -> [TokenID] {
      var options = Generation.Options()
      options.maxTokens = 20
      options.seed = seed
      options.stream = stream
      var generation = try Generation(
        session: try session(), chain: try chain("temperature:t=5 dist"), options: options)
      return try run(&generation).compactMap(\.token)
    }
    #expect(try tokens(seed: 1, stream: 0) == tokens(seed: 1, stream: 0))
    #expect(try tokens(seed: 1, stream: 0) != tokens(seed: 2, stream: 0))
    #expect(try tokens(seed: 1, stream: 0) != tokens(seed: 1, stream: 1))
  }

  @Test("EOS ends the answer and is not part of it")
  func eos() throws {
    let session = try session()
    var generation = try Generation(session: session, chain: try chain(), options: dictation([5, 6, 2]))
    // Synthetic.odd's EOS is 2.
    let events = try run(&generation)
    #expect(events.compactMap(\.token) == [5, 6])
    #expect(events.last?.finish == .eos)
    #expect(session.count == 5)
  }

  @Test("a stop text is held back while it may come, and left out when it does")
  func stopText() throws {
    var options = dictation(AlphabetTokenizer().encode("kstskstopz", bos: false, special: false))
    options.stop = ["stop", "never"]
    var generation = try Generation(session: try session(), chain: try chain(), options: options)
    let events = try run(&generation)
    // "st" may be a beginning; the second "s" shows that it was not, and may be one itself.
    #expect(events.map(\.text) == ["k", "", "", "st", "sk", "", "", "", ""])
    #expect(events.map(\.text).joined() == "kstsk")
    #expect(events.last?.finish == .stop)
    for event in events { #expect(!event.text.contains("stop")) }
  }

  @Test("held-back text comes out when the generation ends otherwise")
  func heldBack() throws {
    var options = dictation(AlphabetTokenizer().encode("bcst", bos: false, special: false))
    options.stop = ["stop"]
    var generation = try Generation(session: try session(), chain: try chain(), options: options)
    #expect(try run(&generation).map(\.text) == ["b", "c", "", "", "st"])
  }

  @Test("a character split over tokens comes out whole")
  func splitCharacter() throws {
    var generation = try Generation(
      session: try session(), chain: try chain(), options: dictation([3, 100, 101, 102, 103, 4]))
    #expect(try run(&generation).map(\.text) == ["b", "", "", "", "\u{1F999}", "c", ""])
  }

  @Test("a hook that rewinds takes tokens, text and sampler state back")
  func rewind() throws {
    var options = Generation.Options()
    var script: [Generation.TokenDecision] = [
      .replace(3), .replace(4), .replace(5), .rewind(2), .replace(6), .replace(7), .stop,
    ]
    options.onToken = { _, _ in script.removeFirst() }
    let session = try session()
    var generation = try Generation(session: session, chain: try chain(), options: options)
    let events = try run(&generation)
    #expect(events.map(\.takenBack) == [0, 0, 0, 2, 0, 0, 0])
    #expect(session.tokens == [0, 2, 3, 3, 6, 7])
    #expect(generation.chain.acceptedCount == 3)
  }

  @Test("a rewound step draws other random numbers")
  func rewindDrawsAnew() throws {
    var options = Generation.Options()
    options.maxTokens = 1
    var drawn: [TokenID] = []
    options.onToken = { token, _ in
      drawn.append(token)
      return drawn.count < 30 ? .rewind(0) : .keep
    }
    var generation = try Generation(session: try session(), chain: try chain("temperature:t=20 dist"), options: options)
    _ = try run(&generation)
    #expect(Set(drawn).count > 5)
  }

  @Test("the context's end finishes the generation")
  func context() throws {
    var config = Synthetic.odd
    config.maxPositionEmbeddings = 8
    let session = try Synthetic.engine(config).makeSession()
    try session.append([3, 4, 5])
    var options = Generation.Options()
    options.onToken = { _, _ in .replace(9) }
    var generation = try Generation(session: session, chain: try chain(), options: options)
    let events = try run(&generation)
    #expect(events.last?.finish == .context)
    #expect(session.count == 8)
  }

  @Test("cancelling ends it between tokens")
  func cancelled() throws {
    var options = Generation.Options()
    var asked = 0
    options.isCancelled = {
      asked += 1
      return asked > 3
    }
    options.onToken = { _, _ in .replace(9) }
    var generation = try Generation(session: try session(), chain: try chain(), options: options)
    let events = try run(&generation)
    #expect(events.compactMap(\.token) == [9, 9, 9])
    #expect(events.last?.finish == .cancelled)
  }

  @Test("on_logits changes what is drawn and not what is reported")
  func onLogits() throws {
    let session = try session()
    let expected = try session.fork().score(appending: [42])[0].logProbability
    var options = Generation.Options()
    options.maxTokens = 1
    options.onLogits = { logits, step in
      #expect(step == 0)
      logits.update(repeating: -.infinity)
      logits[42] = 1
    }
    var generation = try Generation(session: session, chain: try chain(), options: options)
    let event = try #require(try generation.next())
    #expect(event.token == 42)
    #expect(abs(event.logProbability - expected) < 1e-6)
  }
}
