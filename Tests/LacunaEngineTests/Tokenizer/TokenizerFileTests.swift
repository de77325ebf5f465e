import LacunaEngine
import Testing

@Suite("Hostile tokenizer files")
struct TokenizerFileTests {
  private static let models = ["llama-like.model", "no-bytes.model"]
  private static let documents = ["llama3.json", "gpt2.json", "converted-legacy.json", "converted-first.json"]

  private func open(_ bytes: [UInt8], _ name: String) throws(LacunaError) -> any Tokenizer {
    if name.hasSuffix(".model") { return try SentencePieceModelFile(bytes, file: name).makeTokenizer() }
    return try TokenizerJSONFile(bytes, rows: 1_000, file: name).makeTokenizer()
  }

  // What opens must also work.
  private func use(_ tokenizer: any Tokenizer) {
    let text = "the lighthouse é 😀 <s> 123"
    for special in [false, true] {
      let ids = tokenizer.encode(text, bos: true, special: special)
      #expect(ids.allSatisfy { $0 >= 0 && $0 < tokenizer.vocabularySize })
      _ = tokenizer.decode(ids)
    }
  }

  @Test(
    "a file cut anywhere is refused, or is a smaller vocabulary that works", .timeLimit(.minutes(2)),
    arguments: models + documents)
  func truncation(name: String) throws {
    let bytes = try TokenizerFixtures.bytes(name)
    var refused = 0
    for count in Array(stride(from: 0, to: bytes.count, by: 97)) + Array(bytes.count - 120..<bytes.count) {
      do throws(LacunaError) {
        use(try open(Array(bytes[..<count]), name))
      } catch {
        refused += 1
        #expect(error.message.contains(name))
      }
    }
    #expect(refused > 50)
  }

  @Test(
    "a file with changed bytes is refused with its name, or works", .timeLimit(.minutes(2)),
    arguments: models + documents)
  func mutation(name: String) throws {
    let bytes = try TokenizerFixtures.bytes(name)
    var random = SeededGenerator(seed: 17)
    for _ in 0..<150 {
      var changed = bytes
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let position = Int.random(in: 0..<(Bool.random(using: &random) ? bytes.count : 200), using: &random)
        changed[position] =
          Bool.random(using: &random)
          ? UInt8.random(in: 0...255, using: &random) : changed[position] ^ 1 << UInt8.random(in: 0..<8, using: &random)
      }
      do throws(LacunaError) {
        use(try open(changed, name))
      } catch {
        #expect(error.message.contains(name))
      }
    }
  }

  // Five pieces that a tokenizer can be made of, with one thing changed.
  private func make(
    pieces: [String] = ["<unk>", "<s>", "</s>", "a", "b"], scores: [Float] = [0, 0, 0, -1, -2],
    types: [Int32] = [2, 3, 3, 1, 1],
    bos: TokenID? = 1
  ) throws(LacunaError) -> SentencePieceTokenizer {
    var rules = SentencePieceRules()
    rules.byteFallback = types.contains(6)
    return try SentencePieceTokenizer(
      pieces: pieces, scores: scores, types: types, bos: bos, eos: 2, rules: rules, file: "made")
  }

  private func message(_ body: () throws -> Void) -> String {
    do {
      try body()
      return "no error"
    } catch {
      return "\(error)"
    }
  }

  @Test("a broken SentencePiece vocabulary is refused by piece")
  func vocabulary() throws {
    #expect(try make().encode("ab") == [0, 3, 4])
    #expect(
      message { _ = try make(pieces: ["<unk>", "<s>", "</s>", "a", ""]) } == "made: piece 4: expected text, found none")
    #expect(
      message { _ = try make(pieces: ["<unk>", "<s>", "</s>", "a", "a"]) }
        == "made: piece 4: expected distinct pieces, found \"a\" again, which is piece 3")
    #expect(message { _ = try make(scores: [0, 0, 0, .nan, 1]) }.contains("piece 3: score"))
    #expect(message { _ = try make(scores: [0, 0, 0, 1, .infinity]) }.contains("piece 4: score"))
    #expect(message { _ = try make(scores: [0]) }.contains("a score and a type"))
    #expect(message { _ = try make(types: [2, 3, 3, 1, 7]) } == "made: piece 4: type: expected 1 to 6, found 7")
    #expect(
      message { _ = try make(types: [2, 3, 3, 1, 6]) }.contains(
        "expected a byte piece from <0x00> to <0xFF>, found \"b\""))
    #expect(
      message { _ = try make(pieces: ["<unk>", "<s>", "</s>", "a", "<0x0A>"], types: [2, 3, 3, 1, 6]) }.contains(
        "none for byte 0"))
    #expect(message { _ = try make(bos: 5) } == "made: bos: expected an id below 5, found 5")
    #expect(message { _ = try make(bos: -1) }.contains("bos"))
    #expect(
      message { _ = try make(pieces: ["<unk>", "<s>", "</s>", "a", String(repeating: "b", count: 600)]) }.contains(
        "at most 512 bytes"))
  }

  @Test("models of another type or with a character map are refused by name")
  func modelKinds() {
    // ModelProto with one piece "a" and a TrainerSpec or NormalizerSpec.
    let piece: [UInt8] = [0x0A, 3, 0x0A, 1, UInt8(ascii: "a")]
    let bpe: [UInt8] = [0x12, 2, 0x18, 2]
    #expect(
      message { _ = try SentencePieceModelFile(piece, file: "m") }
        == "m: trainer_spec.model_type: expected bpe, found unigram")
    #expect(message { _ = try SentencePieceModelFile(piece + [0x12, 2, 0x18, 4], file: "m") }.contains("found char"))
    #expect(
      message { _ = try SentencePieceModelFile(piece + bpe + [0x1A, 7, 0x0A, 1, 0x6E, 0x12, 2, 1, 2], file: "m") }
        .contains("found a map named \"n\""))
    #expect(message { _ = try SentencePieceModelFile(piece + bpe, file: "m") } == "no error")
    #expect(
      message { _ = try SentencePieceModelFile(bpe, file: "m") }.contains(
        "expected a SentencePiece vocabulary, found none"))
    #expect(
      message { _ = try SentencePieceModelFile([0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F], file: "m") }.contains(
        "expected at most"))
    #expect(
      message { _ = try SentencePieceModelFile(Array(repeating: 0xFF, count: 30), file: "m") }.contains("longer one"))
    #expect(
      message { _ = try SentencePieceModelFile([0x0A, 3, 0x0A, 1, 0xFF] + bpe, file: "m") }.contains("expected UTF-8"))
  }

  private func document(
    vocabulary: String = #"{"a":0,"b":1,"ab":2}"#, merges: String = #"["a b"]"#, model: String = "", rest: String = ""
  ) -> [UInt8] {
    Array(
      """
      {"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false}\(rest),
       "model":{"type":"BPE","vocab":\(vocabulary),"merges":\(merges)\(model)}}
      """.utf8)
  }

  @Test("a broken tokenizer.json is refused by field")
  func fields() throws {
    #expect(try open(document(), "t").encode("abba") == [2, 1, 0])
    let cases: [([UInt8], String)] = [
      (document(merges: #"["a c"]"#), "t: merge 0: expected tokens of the vocabulary, found \"a\" and \"c\""),
      (document(merges: #"["ab"]"#), "expected two tokens and a space"),
      (document(merges: #"[["a"]]"#), "expected two tokens, found 1"),
      (document(vocabulary: #"{"a":0,"a":1}"#), "distinct names"),
      (document(vocabulary: #"{"a":0,"b":0,"ab":1}"#), "expected distinct ids"),
      (document(vocabulary: #"{"a":-1,"b":0,"ab":1}"#), "expected a token id, found -1"),
      (document(vocabulary: #"{"a":4000000000,"b":0,"ab":1}"#), "expected a token id"),
      (document(vocabulary: #"{"a":999999999,"b":0,"ab":1}"#), "expected ids below 1000"),
      (document(vocabulary: "{}"), "model.vocab"),
      (document(model: #","dropout":0.1"#), "model.dropout"),
      (document(model: #","byte_fallback":true"#), "model.byte_fallback"),
      (document(model: #","end_of_word_suffix":"</w>""#), "end_of_word_suffix"),
      (
        document(rest: #","normalizer":{"type":"NFC"}"#),
        "t: normalizer: expected none with a byte-level vocabulary, found NFC"
      ),
      (document(rest: #","post_processor":{"type":"BertProcessing"}"#), "BertProcessing"),
      (document(rest: #","added_tokens":[{"id":-4,"content":"x"}]"#), "added_tokens[0].id"),
      (Array(#"{"model":{"type":"Unigram","vocab":[["a",0.5]]}}"#.utf8), "t: model.type: expected BPE, found Unigram"),
      (
        Array(
          #"{"pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"(a+)+$"},"behavior":"Isolated"},{"type":"ByteLevel"}]},"model":{"vocab":{"a":0}}}"#
            .utf8), "found \"(a+)+$\""
      ),
      (Array(#"{"pre_tokenizer":{"type":"Whitespace"},"model":{"vocab":{"a":0}}}"#.utf8), "found Whitespace"),
      (Array(#"{"normalizer":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["#.utf8), "levels"),
      (
        Array("{\"decoder\":[".utf8) + Array(repeating: "0,", count: 20_000).joined().utf8 + Array("0]}".utf8),
        "too many"
      ),
    ]
    for (bytes, expected) in cases {
      let found = message { _ = try open(bytes, "t") }
      #expect(found.contains(expected), "\(found)")
    }
  }

  @Test("a list longer than the model can need is refused while it is read")
  func lengths() {
    let token: [UInt8] = [0x0A, 3, 0x0A, 1, UInt8(ascii: "a")]
    let model = Array(repeating: token, count: 12).flatMap { $0 }
    #expect(message { _ = try SentencePieceModelFile(model, rows: 10, file: "m") }.contains("at most 10"))
    let names = (0...1_000).map { "\"t\($0)\":\($0)" }.joined(separator: ",")
    #expect(
      message { _ = try open(document(vocabulary: "{\(names)}"), "t") }
        .contains("in model.vocab.t1000: expected at most 1000"))
    let merges = Array(repeating: "\"a b\"", count: 16_400).joined(separator: ",")
    let refusal = message { _ = try open(document(merges: "[\(merges)]"), "t") }
    #expect(refusal.contains("in model.merges[") && refusal.contains("]: expected at most"), "\(refusal)")
  }

  @Test("added tokens that the model has no rows for are left out")
  func rows() throws {
    let tokenizer = try open(
      document(
        rest:
          #","added_tokens":[{"id":3,"content":"<x>","special":false},{"id":100000,"content":"<y>","special":false}]"#),
      "t")
    #expect(tokenizer.vocabularySize == 4)
    #expect(tokenizer.encode("<x>a<y>b") == [3, 0, 1])
  }
}
