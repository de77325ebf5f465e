import Foundation
import LacunaEngine
import Testing

@Suite("Tokenizers of checkpoint directories")
struct TokenizerLoaderTests {
  private func config(vocabSize: Int = 640) -> ModelConfig {
    ModelConfig(
      vocabSize: vocabSize, hiddenSize: 8, intermediateSize: 8, numHiddenLayers: 1, numAttentionHeads: 1,
      numKeyValueHeads: 1,
      headDim: 8, maxPositionEmbeddings: 8)
  }

  // A directory with copies of fixtures and with written files, for the time of `body`.
  private func withDirectory(
    fixtures: [String: String] = [:], texts: [String: String] = [:], _ body: (String) throws -> Void
  ) throws {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent("lacuna-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    for (name, fixture) in fixtures {
      try Data(try TokenizerFixtures.bytes(fixture)).write(to: directory.appendingPathComponent(name))
    }
    for (name, text) in texts { try Data(text.utf8).write(to: directory.appendingPathComponent(name)) }
    try body(directory.path)
  }

  @Test("a directory without a vocabulary has no tokenizer")
  func none() throws {
    try withDirectory(texts: ["tokenizer_config.json": "{}"]) { directory in
      let tokenizer = try TokenizerLoader.load(directory: directory, config: config())
      #expect(tokenizer == nil)
    }
  }

  @Test("tokenizer.model goes before tokenizer.json")
  func preference() throws {
    let fixtures = ["tokenizer.model": "llama-like.model", "tokenizer.json": "llama3.json"]
    try withDirectory(fixtures: fixtures) { directory in
      let tokenizer = try #require(try TokenizerLoader.load(directory: directory, config: config()))
      #expect(tokenizer is SentencePieceTokenizer)
      #expect(tokenizer.bos == 1 && tokenizer.eos == 2 && tokenizer.addsBOS)
    }
  }

  @Test("tokenizer_config.json names BOS, EOS, added tokens and legacy behaviour")
  func configuration() throws {
    let text = """
      {"bos_token":{"content":"<s>"},"eos_token":"<stop>","add_bos_token":false,"legacy":false,
       "added_tokens_decoder":{"640":{"content":"<stop>","special":true},"641":{"content":"<plain>","special":false},
       "9999":{"content":"<beyond>","special":false}}}
      """
    try withDirectory(fixtures: ["tokenizer.model": "llama-like.model"], texts: ["tokenizer_config.json": text]) {
      directory in
      let tokenizer = try #require(try TokenizerLoader.load(directory: directory, config: config(vocabSize: 642)))
      #expect(tokenizer.eos == 640 && tokenizer.bos == 1 && !tokenizer.addsBOS)
      #expect(tokenizer.vocabularySize == 642)
      #expect(tokenizer.encode("<plain><stop>").first == 641)
      #expect(tokenizer.encode("<stop>", bos: true, special: true) == [640])
      #expect(!tokenizer.encode("<stop>").contains(640))
      #expect((tokenizer as? SentencePieceTokenizer)?.rules.prefixesEverySegment == false)
    }
  }

  @Test("config.json's BOS counts where neither tokenizer.model nor tokenizer_config.json has one")
  func modelFallback() throws {
    var config = config()
    config.bosTokenID = 5
    try withDirectory(fixtures: ["tokenizer.model": "no-bytes.model"]) { directory in
      let stated = try #require(try TokenizerLoader.load(directory: directory, config: config))
      #expect(stated.bos == 1)
      // The trainer's specification, where field 41 is the id of BOS: -1 for none. The last of two values counts.
      let none: [UInt8] = [0x12, 12, 0xC8, 0x02] + Array(repeating: 0xFF, count: 9) + [0x01]
      let path = directory + "/tokenizer.model"
      try Data(try TokenizerFixtures.bytes("no-bytes.model") + none).write(to: URL(fileURLWithPath: path))
      let fallen = try #require(try TokenizerLoader.load(directory: directory, config: config))
      #expect(fallen.bos == 5)
    }
  }

  @Test("added_tokens.json is read where tokenizer_config.json lists none")
  func older() throws {
    try withDirectory(
      fixtures: ["tokenizer.model": "llama-like.model"], texts: ["added_tokens.json": #"{"[PAD]":640}"#]
    ) { directory in
      let padded = try #require(try TokenizerLoader.load(directory: directory, config: config(vocabSize: 648)))
      #expect(padded.isControl(640) && padded.vocabularySize == 641)
      let without = try #require(try TokenizerLoader.load(directory: directory, config: config()))
      #expect(without.vocabularySize == 640)
    }
  }

  @Test("BOS and EOS come from the model's configuration where the tokenizer's names none")
  func fallback() throws {
    try withDirectory(fixtures: ["tokenizer.json": "llama3.json"]) { directory in
      let tokenizer = try #require(try TokenizerLoader.load(directory: directory, config: config(vocabSize: 700)))
      #expect(tokenizer.bos == 0 && tokenizer.addsBOS && tokenizer.eos == 2)
    }
  }

  @Test(
    "a vocabulary larger than the model is refused",
    arguments: [("tokenizer.model", "llama-like.model"), ("tokenizer.json", "llama3.json")])
  func tooLarge(name: String, fixture: String) throws {
    try withDirectory(fixtures: [name: fixture]) { directory in
      #expect { try TokenizerLoader.load(directory: directory, config: config(vocabSize: 639)) } throws: { error in
        "\(error)".contains("\(directory)/\(name)") && "\(error)".contains("639")
      }
    }
  }

  @Test(
    "a broken tokenizer_config.json is refused by field",
    arguments: [
      (#"{"legacy":1}"#, "legacy"), (#"{"bos_token":7}"#, "bos_token"),
      (#"{"added_tokens_decoder":{"x":{}}}"#, "added_tokens_decoder"),
      (#"{"added_tokens_decoder":{"3":{"content":4}}}"#, "added_tokens_decoder.3.content"), ("[", "byte"),
    ])
  func broken(text: String, field: String) throws {
    try withDirectory(fixtures: ["tokenizer.model": "llama-like.model"], texts: ["tokenizer_config.json": text]) {
      directory in
      #expect { try TokenizerLoader.load(directory: directory, config: config()) } throws: { error in
        "\(error)".contains("tokenizer_config.json") && "\(error)".contains(field)
      }
    }
  }
}
