import LacunaEngine
import Testing

@Suite("Streaming detokenization")
struct StreamDecoderTests {
  @Test(
    "the streamed pieces joined are the decoded whole",
    arguments: ["llama-like.model", "user-defined.model", "llama3.json", "gpt2.json"])
  func joined(file: String) throws {
    let tokenizer: any Tokenizer =
      file.hasSuffix(".model")
      ? try TokenizerFixtures.model(String(file.dropLast(6))) : try TokenizerFixtures.json(String(file.dropLast(5)))
    var random = SeededGenerator(seed: 11)
    for _ in 0..<300 {
      // Random ids: ill-formed sequences and control tokens among them.
      let ids = (0..<Int.random(in: 0...12, using: &random)).map { _ in
        TokenID.random(in: 0..<TokenID(Bool.random(using: &random) ? 300 : tokenizer.vocabularySize), using: &random)
      }
      var decoder = StreamDecoder(tokenizer: tokenizer)
      let streamed = ids.map { decoder.append($0) }.joined() + decoder.flush()
      #expect(streamed == tokenizer.decode(ids))
      let bytes = ids.flatMap { tokenizer.bytes(of: $0, special: false) }
      if !tokenizer.textRules.stripsLeadingSpace { #expect(streamed == String(decoding: bytes, as: UTF8.self)) }
    }
  }

  @Test("a character comes whole, once its last byte is there")
  func holdsBack() throws {
    let tokenizer = try TokenizerFixtures.model("llama-like")
    var decoder = StreamDecoder(tokenizer: tokenizer)
    #expect([0xF0, 0x9F, 0x98].map { decoder.append(TokenID($0 + 3)) } == ["", "", ""])
    #expect(decoder.append(0x80 + 3) == "😀")
    #expect(decoder.flush() == "")
  }

  @Test("each byte of an ill-formed sequence is replaced, as sentencepiece does")
  func repairsBytes() throws {
    let tokenizer = try TokenizerFixtures.model("llama-like")
    #expect(tokenizer.decode([0xE3 + 3, 0x81 + 3, 0x41 + 3]) == "\u{FFFD}\u{FFFD}A")
    #expect(tokenizer.decode([0xF0 + 3, 0x9F + 3]) == "\u{FFFD}\u{FFFD}")
    #expect(tokenizer.decode([0xED + 3, 0xA0 + 3, 0x80 + 3]) == "\u{FFFD}\u{FFFD}\u{FFFD}")
  }

  @Test("an ill-formed sequence of a byte-level vocabulary becomes one replacement")
  func repairsSubparts() throws {
    let tokenizer = try TokenizerFixtures.json("llama3")
    let text = "é😀"
    let bytes = text.utf8.map { byte in
      (0..<TokenID(tokenizer.vocabularySize)).first { tokenizer.bytes(of: $0, special: false) == [byte] } ?? -1
    }
    #expect(tokenizer.decode(bytes) == text)
    #expect(tokenizer.decode(Array(bytes[2...4])) == "\u{FFFD}")
    #expect(tokenizer.decode([bytes[0]] + bytes[2...]) == "\u{FFFD}😀")
  }

  @Test("a continuation keeps its leading space, a text drops the dummy prefix")
  func leadingSpace() throws {
    let tokenizer = try TokenizerFixtures.model("llama-like")
    let ids = tokenizer.encode("the")
    var start = StreamDecoder(tokenizer: tokenizer)
    var continuation = StreamDecoder(tokenizer: tokenizer, afterPrompt: true)
    #expect(([1] + ids).map { start.append($0) }.joined() == "the")
    #expect(ids.map { continuation.append($0) }.joined() == " the")
  }

  @Test("every two-byte and three-byte beginning is classified as Swift's own decoder does")
  func prefixes() {
    var random = SeededGenerator(seed: 5)
    for _ in 0..<20_000 {
      let bytes = (0..<Int.random(in: 1...5, using: &random)).map { _ in
        [UInt8.random(in: 0...255, using: &random), 0xE0, 0xED, 0xF0, 0xF4, 0x80, 0x9F, 0xA0, 0xBF, 0xC2].randomElement(
          using: &random) ?? 0
      }
      var text = ""
      var position = 0
      while position < bytes.count {
        switch UTF8Prefix(bytes[position...]) {
        case .character(let count):
          text += String(decoding: bytes[position..<position + count], as: UTF8.self)
          position += count
        case .incomplete(let count), .illFormed(let count):
          text += "\u{FFFD}"
          position += count
        }
      }
      #expect(Array(text.utf8) == Array(String(decoding: bytes, as: UTF8.self).utf8), "\(bytes)")
    }
  }
}
