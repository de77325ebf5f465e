import LacunaEngine
import Testing

/// A script's stage in miniature: bans the token it accepted last, and can go back.
private final class BanLast: SamplerChain.ExternalStage {
  var accepted: [TokenID]
  let isSelector = false
  init(_ accepted: [TokenID] = []) { self.accepted = accepted }
  func apply(_ logits: UnsafeMutableBufferPointer<Float>, _ context: SamplingContext) {
    if let last = accepted.last { logits[Int(last)] = -.infinity }
  }
  func pick(_ logits: UnsafeMutableBufferPointer<Float>, _ context: SamplingContext) -> TokenID { 0 }
  func accept(_ token: TokenID) { accepted.append(token) }
  func fork() -> any SamplerChain.ExternalStage { BanLast(accepted) }
  func rewind(toAccepted count: Int) { accepted.removeLast(accepted.count - count) }
}

@Suite("State of a chain")
struct ChainStateTests {
  private let sample = SampleLogits(.zipf, 500, seed: 3)
  private let text = "penalties:repetition=1.2 top_p:0.98 xtc:probability=0.3 temperature:1.3"

  private func chain(_ selector: String) throws -> SamplerChain {
    let stages = try SamplerChain.parse(text).map { SamplerChain.Stage.native($0) }
    return try SamplerChain(
      stages + [.external(name: "ban_last", BanLast()), .native(StageDescription(selector))],
      vocabularySize: sample.count)
  }

  private func generate(_ chain: inout SamplerChain, _ tokens: inout [TokenID], _ count: Int, seed: UInt64 = 1) throws {
    for _ in 0..<count {
      let token = try chain.draw(sample.values, tokens: tokens, seed: seed)
      try chain.accept(token)
      tokens.append(token)
    }
  }

  @Test("a copy goes its own way", arguments: ["dist", "mirostat", "mirostat_v2", "adaptive_p"])
  func copies(_ selector: String) throws {
    var chain = try chain(selector)
    var tokens: [TokenID] = []
    try generate(&chain, &tokens, 15)

    var (fork, forkTokens) = (chain, tokens)
    var (same, sameTokens) = (chain, tokens)
    try generate(&fork, &forkTokens, 15, seed: 77)
    try generate(&same, &sameTokens, 15)
    try generate(&chain, &tokens, 15)
    #expect(sameTokens == tokens)
    #expect(forkTokens != tokens)
    #expect(chain.acceptedCount == 30)
  }

  @Test(
    "copies that take turns do not see one another's tokens",
    arguments: ["dist", "mirostat", "mirostat_v2", "adaptive_p"])
  func turns(_ selector: String) throws {
    var alone = try chain(selector)
    var aloneTokens: [TokenID] = []
    try generate(&alone, &aloneTokens, 60)
    var chain = try chain(selector)
    var tokens: [TokenID] = []
    try generate(&chain, &tokens, 20)
    var (fork, forkTokens) = (chain, tokens)
    for _ in 0..<40 {
      try generate(&fork, &forkTokens, 1, seed: 77)
      try generate(&chain, &tokens, 1)
    }
    #expect(tokens == aloneTokens)
    #expect(zip(forkTokens, forkTokens.dropFirst()).allSatisfy { $0 != $1 })
  }

  @Test("after a rewind the same tokens come again", arguments: ["dist", "mirostat", "mirostat_v2", "adaptive_p"])
  func rewinds(_ selector: String) throws {
    var chain = try chain(selector)
    var tokens: [TokenID] = []
    try generate(&chain, &tokens, 25)
    for kept in [20, 7, 0] {
      var (again, againTokens) = (chain, Array(tokens.prefix(kept)))
      // A detour that leaves no trace.
      try again.rewind(toAccepted: kept)
      try generate(&again, &againTokens, 5, seed: 9)
      try again.rewind(toAccepted: kept)
      againTokens.removeLast(5)
      try generate(&again, &againTokens, 25 - kept)
      #expect(againTokens == tokens)
    }
    #expect(throws: LacunaError.self) { try chain.rewind(toAccepted: 26) }
    #expect(throws: LacunaError.self) { try chain.rewind(toAccepted: -1) }
    #expect(chain.acceptedCount == 25)
  }

  @Test("Mirostat learns nothing from a token that somebody else chose")
  func replaced() throws {
    var chain = try SamplerChain.native("mirostat_v2:tau=3", vocabularySize: 500)
    var untouched = chain
    for step in 0..<5 {
      let tokens = [TokenID](repeating: 0, count: step)
      let token = try chain.draw(sample.values, tokens: tokens)
      try chain.accept(token == 499 ? 498 : 499)
    }
    // Still at its first mu: draws as an unused chain does.
    for seed in 0..<20 as Range<UInt64> {
      #expect(try chain.draw(sample.values, seed: seed) == untouched.draw(sample.values, seed: seed))
    }
  }

  @Test("explain reports every stage and changes nothing")
  func explain() throws {
    var chain = try chain("mirostat")
    var tokens: [TokenID] = []
    try generate(&chain, &tokens, 5)
    let reports = try chain.explained(sample.values, tokens: tokens, top: 4)
    #expect(reports.map(\.name) == ["input", "penalties", "top_p", "xtc", "temperature", "ban_last", "mirostat"])
    let reference = FilterReference(sample.values)
    #expect(reports[0].survivors == 500)
    #expect(abs(reports[0].entropy - reference.entropy) < 1e-5)
    #expect(reports[0].topTokens == reference.order.prefix(4).map(TokenID.init))
    for (token, probability) in zip(reports[0].topTokens, reports[0].topProbabilities) {
      #expect(abs(probability - reference.probabilities[Int(token)]) < 1e-6)
    }
    #expect(reports[2].survivors < 500)
    #expect(reports[5].survivors <= reports[4].survivors)
    let token = try chain.draw(sample.values, tokens: tokens)
    #expect(reports.last?.topTokens == [token])
  }

  @Test("explain names the token that is drawn, also where a filter that greedy leaves out would round two into one")
  func explainedChoice() throws {
    var logits = [Float](repeating: 0, count: 500)
    (logits[3], logits[7]) = (7.055098533630371, 7.055099010467529)
    var chain = try SamplerChain(
      [StageDescription("temperature", ["t": .number(0.8)]), StageDescription("greedy")], vocabularySize: 500)
    let drawn = try chain.draw(logits)
    #expect(drawn == 7)
    #expect(try chain.explained(logits).last?.topTokens == [drawn])
  }

  @Test("greedy decoding leaves out what it cannot see, and only that")
  func skipped() throws {
    final class Witness: SamplerChain.ExternalStage {
      var calls = 0
      let isSelector = false
      let keepsArgmax: Bool
      init(keepsArgmax: Bool) { self.keepsArgmax = keepsArgmax }
      func apply(_ logits: UnsafeMutableBufferPointer<Float>, _ context: SamplingContext) { calls += 1 }
      func pick(_ logits: UnsafeMutableBufferPointer<Float>, _ context: SamplingContext) -> TokenID { 0 }
      func accept(_ token: TokenID) {}
      func fork() -> any SamplerChain.ExternalStage { self }
      func rewind(toAccepted count: Int) {}
    }
    let (early, honest, late) = (Witness(keepsArgmax: true), Witness(keepsArgmax: false), Witness(keepsArgmax: true))
    var chain = try SamplerChain(
      [
        .external(name: "early", early), .external(name: "honest", honest), .external(name: "late", late),
        .native(StageDescription("temperature")), .native(StageDescription("greedy")),
      ], vocabularySize: 3)
    #expect(try chain.draw([0, 1, 0]) == 1)
    #expect(early.calls == 1 && honest.calls == 1 && late.calls == 0)
  }

  @Test("every stage has random numbers of its own, the selector's do not depend on the filters")
  func lanes() throws {
    final class Dice: SamplerChain.ExternalStage {
      let isSelector: Bool
      var thrown: [SeededRandom] = []
      init(isSelector: Bool) { self.isSelector = isSelector }
      func apply(_ logits: UnsafeMutableBufferPointer<Float>, _ context: SamplingContext) {
        thrown.append(context.random)
      }
      func pick(_ logits: UnsafeMutableBufferPointer<Float>, _ context: SamplingContext) -> TokenID {
        thrown.append(context.random)
        return 0
      }
      func accept(_ token: TokenID) {}
      func fork() -> any SamplerChain.ExternalStage { self }
      func rewind(toAccepted count: Int) {}
    }
    let (filter, selector) = (Dice(isSelector: false), Dice(isSelector: true))
    var chain = try SamplerChain(
      [
        .native(StageDescription("temperature")), .external(name: "filter", filter),
        .external(name: "selector", selector),
      ], vocabularySize: 2)
    _ = try chain.draw([0, 0], tokens: [1, 1, 1], seed: 8, stream: 9)
    #expect(filter.thrown == [SeededRandom(seed: 8, stream: 9, position: 3, draw: 2 << 24)])
    #expect(selector.thrown == [SeededRandom(seed: 8, stream: 9, position: 3)])
  }
}
