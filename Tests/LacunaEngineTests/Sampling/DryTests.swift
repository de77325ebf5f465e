import Foundation
import LacunaEngine
import Testing

@Suite("DRY")
struct DryTests {
  /// The definition, by comparing at every place.
  private func penalties(
    _ tokens: [TokenID], multiplier: Double, base: Double, allowed: Int, window: Int, breakers: Set<TokenID>
  ) -> [TokenID: Double] {
    let text = Array(tokens.suffix(window))
    guard let last = text.last, !breakers.contains(last) else { return [:] }
    var longest: [TokenID: Int] = [:]
    for place in 0..<(text.count - 1) where text[place] == last {
      let next = text[place + 1]
      if breakers.contains(next) { continue }
      var match = 1
      while place - match >= 0, text[place - match] == text[text.count - 1 - match],
        !breakers.contains(text[place - match])
      {
        match += 1
      }
      longest[next] = max(longest[next] ?? 0, match)
    }
    return longest.filter { $0.value >= allowed }.mapValues {
      min(1e9, multiplier * pow(base, Double($0 - allowed)))
    }
  }

  @Test("matches the definition on repetitive texts", arguments: 0..<60 as Range<UInt64>)
  func definition(_ seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    let alphabet = random.integer(in: 1...5)
    let length = Int(random.integer(in: 1...160))
    let tokens = (0..<length).map { _ in TokenID(random.integer(in: 0...alphabet)) }
    let logits = (0..<12).map { _ in Float(random.normal()) }
    let allowed = Int(random.integer(in: 1...4))
    let window = Int(random.integer(in: 1...200))
    let breakers: Set<TokenID> = random.uniform() < 0.5 ? [5] : []
    let expected = penalties(
      tokens, multiplier: 0.8, base: 1.75, allowed: allowed, window: window, breakers: breakers)
    let list = breakers.map(String.init).joined(separator: ",")
    let result = try filtered(
      "dry:allowed_length=\(allowed),penalty_last_n=\(window),sequence_breakers=[\(list)]", logits, tokens: tokens)
    for id in logits.indices {
      let penalized = Double(logits[id]) - (expected[TokenID(id)] ?? 0)
      #expect(abs(Double(result[id]) - penalized) <= 1e-6 * max(1, abs(penalized)), "token \(id)")
    }
  }

  @Test("a long text of one token is neither slow nor infinite")
  func monotone() throws {
    let tokens = [TokenID](repeating: 1, count: 20_000)
    let result = try filtered("dry", [0, 1, 2], tokens: tokens)
    #expect(result[0] == 0 && result[2] == 2)
    #expect(result[1] == -1e9)
  }

  @Test("breakers are the tokens whose text holds one, and the end of a longer one")
  func breakerTexts() throws {
    let tokenizer = LetterTokenizer(pieces: ["a", "b", "x\n", "y", "U", ":"])
    // ... a b <breaker> a b | a b -> the match is cut at the breaker.
    let withNewline: [TokenID] = [3, 0, 1, 2, 0, 1, 2, 0, 1]
    let logits: [Float] = [0, 0, 0, 0, 0, 0]
    let cut = try filtered("dry:allowed_length=1", logits, tokens: withNewline, tokenizer: tokenizer)
    // "x\n" is itself a breaker and is never penalised.
    #expect(cut == logits)
    let free = try filtered(
      "dry:allowed_length=1,sequence_breakers=[]", logits, tokens: withNewline, tokenizer: tokenizer)
    #expect(free[2] < 0)
    let twoTokens: [TokenID] = [5, 0, 4, 5]
    let unnamed = try filtered(
      "dry:allowed_length=1,sequence_breakers=[]", logits, tokens: twoTokens, tokenizer: tokenizer)
    #expect(unnamed[0] < 0)
    let named = try filtered(
      "dry:allowed_length=1,sequence_breakers=[\"U:\"]", logits, tokens: twoTokens, tokenizer: tokenizer)
    #expect(named == logits)
  }

  @Test("breakers that cannot be looked up are refused")
  func refusals() throws {
    #expect(throws: LacunaError.self) {
      try SamplerChain.native("dry:sequence_breakers=[\"x\"] dist", vocabularySize: 4)
    }
    #expect(throws: LacunaError.self) {
      try SamplerChain.native("dry:sequence_breakers=[4] dist", vocabularySize: 4)
    }
    #expect(throws: Never.self) { try SamplerChain.native("dry dist", vocabularySize: 4) }
  }
}

/// One token a piece, the first piece that fits.
struct LetterTokenizer: Tokenizer {
  let pieces: [String]
  var vocabularySize: Int { pieces.count }
  var bos: TokenID? { nil }
  var eos: TokenID? { nil }
  var fingerprint: String { pieces.joined() }
  func encode(_ text: String, bos: Bool, special: Bool) -> [TokenID] {
    text.compactMap { letter in pieces.firstIndex(of: String(letter)).map(TokenID.init) }
  }
  func bytes(of token: TokenID, special: Bool) -> [UInt8] { Array(pieces[Int(token)].utf8) }
  func piece(_ token: TokenID) -> String { pieces[Int(token)] }
  func isControl(_ token: TokenID) -> Bool { false }
  func decode(_ tokens: [TokenID]) -> String { tokens.map { piece($0) }.joined() }
}
