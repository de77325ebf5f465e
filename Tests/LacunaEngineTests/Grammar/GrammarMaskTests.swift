import LacunaEngine
import Testing

@Suite struct GrammarMaskTests {
  /// Bytes of printable characters, some words, pieces that span JSON's marks, halves of characters.
  private struct Pieces: Tokenizer {
    let pieces: [[UInt8]]
    var vocabularySize: Int { pieces.count }
    let bos: TokenID? = 0
    let eos: TokenID? = 1
    let fingerprint = "pieces"

    init() {
      var pieces: [[UInt8]] = [[], []]
      for byte in UInt8(0x20)..<0x7F { pieces.append([byte]) }
      for text in [
        "{\"", "\":", "\", \"", "\"}", "},{", " the", "ing", "12", "305", "], [", "\n  ", "é", "aaaaaaaa", "}",
      ] {
        pieces.append(Array(text.utf8))
      }
      pieces += [[0xC3], [0xA9], [0xF0, 0x9F], [0xA6, 0x99]]
      self.pieces = pieces
    }

    func encode(_ text: String, bos: Bool, special: Bool) -> [TokenID] { [] }
    func bytes(of token: TokenID, special: Bool) -> [UInt8] {
      pieces.indices.contains(Int(token)) ? pieces[Int(token)] : []
    }
    func piece(_ token: TokenID) -> String { "<\(token)>" }
    func isControl(_ token: TokenID) -> Bool { token < 2 }
  }

  private func engine() throws -> Engine {
    var config = Synthetic.odd
    config.eosTokenIDs = [1]
    return try Engine(
      config: config, weights: try ModelWeights.random(config: config, type: .bf16, seed: 7), tokenizer: Pieces())
  }

  @Test(
    "the mask holds just the tokens that can be read, all along a random text",
    arguments: [
      #"{"type":"object","properties":{"name":{"type":"string","maxLength":30},"n":{"type":"integer","minimum":3,"maximum":4000},"l":{"type":"array","items":{"enum":["é","ab","the"]},"minItems":2,"maxItems":12}},"required":["name","l"]}"#,
      #"{"type":"string","minLength":5,"maxLength":200}"#, "true",
    ])
  func masks(_ schema: String) throws {
    let engine = try engine()
    let grammar = try Grammar(jsonSchema: schema)
    var random = SeededRandom(seed: 3)
    for _ in 0..<20 {
      var matcher = try GrammarMatcher(grammar, engine: engine)
      var steps = 0
      while steps < 60, !matcher.isFinished {
        let mask = try matcher.mask()
        var readable: [TokenID] = []
        for token in 0..<TokenID(engine.config.vocabSize) {
          var copy = matcher
          if (try? copy.accept(token)) != nil { readable.append(token) }
        }
        #expect(mask.tokens.filter { $0 != 1 } == readable)
        #expect(mask.contains(1) == matcher.isAccepting)
        guard !readable.isEmpty else { break }
        try matcher.accept(readable[Int(random.integer(in: 0...Int64(readable.count - 1)))])
        steps += 1
      }
    }
  }

  @Test("logits outside the grammar become minus infinity, and a single way on is told")
  func logits() throws {
    let engine = try engine()
    var matcher = try GrammarMatcher(try Grammar(choice: ["a\u{E9}b"]), engine: engine)
    var logits = [Float](repeating: 1, count: engine.config.vocabSize)
    let letter = TokenID(2 + 0x41)
    #expect(try logits.withUnsafeMutableBufferPointer { try matcher.apply(to: $0) } == letter)
    #expect(logits.filter { $0 == 1 }.count == 1 && logits[Int(letter)] == 1)
    try matcher.accept(letter)
    // The whole character, or its first half.
    #expect(try logits.withUnsafeMutableBufferPointer { try matcher.apply(to: $0) } == nil)
    #expect(throws: LacunaError.self) { try matcher.accept(letter) }
  }

  @Test("a vocabulary that cannot go on is an error, not a silent stop")
  func deadEnd() throws {
    var matcher = try GrammarMatcher(try Grammar(choice: ["\u{1F600}"]), engine: try engine())
    var logits = [Float](repeating: 1, count: Synthetic.odd.vocabSize)
    try matcher.accept(TokenID(Pieces().pieces.firstIndex(of: [0xF0, 0x9F])!))
    let error = #expect(throws: LacunaError.self) {
      _ = try logits.withUnsafeMutableBufferPointer { try matcher.apply(to: $0) }
    }
    #expect(error?.message.contains("can come next") == true)
  }
}
