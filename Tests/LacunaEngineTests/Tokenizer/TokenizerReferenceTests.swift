import LacunaEngine
import Testing

@Suite("Tokenizers against their reference libraries")
struct TokenizerReferenceTests {
  @Test("SentencePiece models give sentencepiece's ids and text", arguments: TokenizerFixtures.sentencePiece)
  func sentencePiece(name: String) throws {
    let tokenizer = try TokenizerFixtures.model(name)
    let cases = try TokenizerFixtures.cases(name)
    #expect(cases.count > 200)
    for item in cases {
      #expect(tokenizer.encode(item.text) == item.ids, "\(name): \(item.text.debugDescription)")
      if let decoded = item.decoded { #expect(tokenizer.decode(item.ids) == decoded, "\(name): \(item.ids)") }
    }
  }

  @Test(
    "tokenizer.json files give the tokenizers library's ids and text",
    arguments: TokenizerFixtures.byteLevel + TokenizerFixtures.converted)
  func huggingFace(name: String) throws {
    let tokenizer = try TokenizerFixtures.json(name)
    let cases = try TokenizerFixtures.cases(name)
    #expect(cases.count > 200)
    for item in cases {
      #expect(tokenizer.encode(item.text) == item.ids, "\(name): \(item.text.debugDescription)")
      #expect(
        tokenizer.encode(item.text, bos: false, special: true) == item.special, "\(name): \(item.text.debugDescription)"
      )
      if let decoded = item.decoded { #expect(tokenizer.decode(item.ids) == decoded, "\(name): \(item.ids)") }
    }
  }

  @Test("a model and the tokenizer.json converted from it agree")
  func conversion() throws {
    let model = try TokenizerFixtures.model("llama-like")
    let json = try TokenizerFixtures.json("converted-legacy")
    for item in try TokenizerFixtures.cases("llama-like") {
      #expect(model.encode(item.text) == json.encode(item.text), "\(item.text.debugDescription)")
      let special = json.encode(item.text, bos: true, special: true)
      #expect(model.encode(item.text, bos: true, special: true) == special, "\(item.text.debugDescription)")
    }
  }

  @Test(
    "decoding gives the text back",
    arguments: TokenizerFixtures.byteLevel.filter { $0 != "gpt2-prefix" } + TokenizerFixtures.converted)
  func roundTrip(name: String) throws {
    let tokenizer = try TokenizerFixtures.json(name)
    for item in try TokenizerFixtures.cases(name) where item.decoded == item.text {
      #expect(tokenizer.decode(tokenizer.encode(item.text)) == item.text)
    }
  }
}
