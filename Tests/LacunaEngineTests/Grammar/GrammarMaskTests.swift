import LacunaEngine
import Testing

@Suite struct GrammarMaskTests {
  /// A vocabulary of bytes: the first two tokens are BOS and EOS.
  private struct Pieces: Tokenizer {
    let pieces: [[UInt8]]
    let fingerprint: String
    var vocabularySize: Int { pieces.count }
    let bos: TokenID? = 0
    let eos: TokenID? = 1

    func encode(_ text: String, bos: Bool, special: Bool) -> [TokenID] { [] }
    func bytes(of token: TokenID, special: Bool) -> [UInt8] {
      pieces.indices.contains(Int(token)) ? pieces[Int(token)] : []
    }
    func piece(_ token: TokenID) -> String { "<\(token)>" }
    func isControl(_ token: TokenID) -> Bool { token < 2 }

    /// Printable characters, some words, pieces that span JSON's marks, halves of characters.
    static let common: Pieces = {
      var pieces: [[UInt8]] = [[], []]
      for byte in UInt8(0x20)..<0x7F { pieces.append([byte]) }
      for text in [
        "{\"", "\":", "\", \"", "\"}", "},{", " the", "ing", "12", "305", "], [", "\n  ", "é", "aaaaaaaa", "}",
      ] {
        pieces.append(Array(text.utf8))
      }
      pieces += [[0xC3], [0xA9], [0xF0, 0x9F], [0xA6, 0x99]]
      return Pieces(pieces: pieces, fingerprint: "pieces")
    }()

    /// Runs of up to 24 bytes from a small alphabet, many with the same beginning and some twice; every single byte.
    static let random: Pieces = {
      var random = SeededRandom(seed: 17)
      var pieces: [[UInt8]] = [[], []] + (0..<256).map { [UInt8($0)] }
      let alphabet = ["a", "b", "c", "x", "y", " ", "(", ")", "-", "1", "2", ".", "\"", "é", "😀", "ab"].map {
        Array($0.utf8)
      }
      while pieces.count < 700 {
        let stem = random.integer(in: 0...3) == 0 ? pieces[Int(random.integer(in: 2...Int64(pieces.count - 1)))] : []
        let tail = (0...random.integer(in: 0...7)).flatMap { _ in alphabet[Int(random.integer(in: 0...15))] }
        pieces.append(Array((stem + tail).prefix(24)))
      }
      return Pieces(pieces: pieces, fingerprint: "random pieces")
    }()
  }

  private func engine(_ tokenizer: some Tokenizer = Pieces.common) throws -> Engine {
    var config = Synthetic.odd
    config.eosTokenIDs = [1]
    config.vocabSize = max(config.vocabSize, tokenizer.vocabularySize)
    return try Engine(
      config: config, weights: try ModelWeights.random(config: config, type: .bf16, seed: 7), tokenizer: tokenizer)
  }

  @Test(
    "the mask holds just the tokens that can be read, all along a random text",
    arguments: [
      #"{"type":"object","properties":{"name":{"type":"string","maxLength":30},"n":{"type":"integer","minimum":3,"maximum":4000},"l":{"type":"array","items":{"enum":["é","ab","the"]},"minItems":2,"maxItems":12}},"required":["name","l"]}"#,
      #"{"type":"string","minLength":5,"maxLength":200}"#, "true",
    ])
  func masks(_ schema: String) throws { try check(try Grammar(jsonSchema: schema), try engine()) }

  @Test(
    "and for expressions whose counters, loops and recursion tokens of any length cross",
    arguments: [
      #"(\d{2}-\d{2}T(\.\d{1,6})?Z [a-zA-Z ,']{10,80}\.){1,40}"#, #"[^"]{0,300}""#, #"[ab]*c{3}(x|yy){2,9}"#,
      #"(ab|a|b){0,50}"#, #"(é|😀|[^\x00-\x7f]){1,20}|\w+"#,
    ])
  func expressions(_ expression: String) throws {
    try check(try Grammar(regex: expression), try engine(Pieces.random))
  }

  @Test("and for rules that recurse")
  func recursion() throws {
    try check(
      try Grammar(gbnf: "root ::= \"(\" (root | [a-z]{0,12})* \")\" | \"ab\" root \"c\" | \"-\""),
      try engine(Pieces.random))
  }

  private func check(_ grammar: Grammar, _ engine: Engine) throws {
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

  @Test(
    "every logit outside a mask becomes minus infinity, and no other changes", arguments: [1, 63, 64, 65, 200, 1000])
  func application(_ size: Int) throws {
    var random = SeededRandom(seed: UInt64(size))
    for share in [0, 1, 32, 63, 64] as [Int64] {
      var mask = TokenMask(size: size)
      for token in 0..<TokenID(size) where random.integer(in: 0...63) < share { mask.insert(token) }
      var logits = (0..<size).map { Float($0) }
      logits.withUnsafeMutableBufferPointer { mask.apply(to: $0) }
      #expect(logits.indices.allSatisfy { logits[$0] == (mask.contains(TokenID($0)) ? Float($0) : -.infinity) })
      #expect(mask.count == mask.tokens.count)
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
    try matcher.accept(TokenID(Pieces.common.pieces.firstIndex(of: [0xF0, 0x9F])!))
    let error = #expect(throws: LacunaError.self) {
      _ = try logits.withUnsafeMutableBufferPointer { try matcher.apply(to: $0) }
    }
    #expect(error?.message.contains("can come next") == true)
  }
}
