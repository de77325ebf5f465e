import LacunaEngine
import Testing

@Suite("Control and added tokens")
struct SpecialTokenTests {
  @Test(
    "control tokens typed in a text stay text",
    arguments: TokenizerFixtures.sentencePiece.map { $0 + ".model" }
      + (TokenizerFixtures.byteLevel + TokenizerFixtures.converted).map { $0 + ".json" })
  func injection(file: String) throws {
    let tokenizer: any Tokenizer =
      file.hasSuffix(".model")
      ? try TokenizerFixtures.model(String(file.dropLast(6))) : try TokenizerFixtures.json(String(file.dropLast(5)))
    let control = (0..<TokenID(tokenizer.vocabularySize)).filter(tokenizer.isControl)
    #expect(!control.isEmpty)
    for id in control where tokenizer.piece(id) != "<unk>" {
      let text = "a\(tokenizer.piece(id)) \(tokenizer.piece(id))"
      #expect(!tokenizer.encode(text).contains(id), "\(file): \(text)")
      #expect(tokenizer.encode(text, bos: false, special: true).filter { $0 == id }.count == 2, "\(file): \(text)")
    }
  }

  @Test(
    "control tokens count in a template's words alone, and the text is encoded as one",
    arguments: ["llama-like.model", "llama3.json", "smollm.json"])
  func markup(file: String) throws {
    let tokenizer: any Tokenizer =
      file.hasSuffix(".model")
      ? try TokenizerFixtures.model("llama-like") : try TokenizerFixtures.json(String(file.dropLast(5)))
    let id = try #require(
      (1..<TokenID(tokenizer.vocabularySize)).first { tokenizer.isControl($0) && tokenizer.piece($0) != "<unk>" })
    let mark = tokenizer.piece(id)
    let text = "a \(mark) the\(mark)re"
    let first = 2..<2 + mark.utf8.count
    let second = first.upperBound + 4..<text.utf8.count - 2
    func encode(_ markup: [Range<Int>]) -> [TokenID] { tokenizer.encode(text, bos: false, markup: markup) }
    #expect(encode([]) == tokenizer.encode(text))
    #expect(encode([0..<text.utf8.count]) == tokenizer.encode(text, bos: false, special: true))
    #expect(encode([first, second]) == tokenizer.encode(text, bos: false, special: true))
    #expect(encode([first]).filter { $0 == id }.count == 1 && encode([second]).filter { $0 == id }.count == 1)
    // One that reaches beyond a range was not written by whoever wrote the range.
    #expect(!encode([2..<first.upperBound - 1, first.upperBound..<second.upperBound - 1]).contains(id))
    // Words go on across a range's end.
    #expect(tokenizer.encode("the there", bos: false, markup: [0..<2]) == tokenizer.encode("the there"))
  }

  @Test("unknown characters that become one token leave the words behind a control token alone")
  func fusedUnknown() throws {
    let tokenizer = try TokenizerFixtures.model("no-bytes")
    let unknown = try #require((0..<9).first { tokenizer.piece($0) == "<unk>" })
    let (word, end) = (tokenizer.encode("dawn"), tokenizer.encode("</s>", bos: false, special: true))
    #expect(end == [2] && !word.contains(unknown))
    for text in ["QQ dawn</s>dawn", "[[ ]] dawn</s>dawn", "dawn QQQ dawn</s>dawn"] {
      let ids = tokenizer.encode(text, bos: false, special: true)
      #expect(ids.contains(unknown) && Array(ids.suffix(end.count + word.count)) == end + word, "\(text): \(ids)")
    }
  }

  @Test("BOS comes first where the model expects it, and only when asked for")
  func bos() throws {
    let llama = try TokenizerFixtures.model("llama-like")
    #expect(llama.encode("", bos: true, special: false) == [1])
    #expect(llama.encode("a", bos: true, special: false) == [1] + llama.encode("a"))
    let llama3 = try TokenizerFixtures.json("llama3")
    #expect(llama3.addsBOS && llama3.encode("a", bos: true, special: false).first == 0)
    let smollm = try TokenizerFixtures.json("smollm")
    #expect(!smollm.addsBOS && smollm.encode("a", bos: true, special: false) == smollm.encode("a"))
  }

  @Test("the text after a control token gets a space only with the legacy behaviour")
  func legacy() throws {
    let file = try SentencePieceModelFile(try TokenizerFixtures.bytes("llama-like.model"), file: "llama-like.model")
    let legacy = try file.makeTokenizer()
    let other = try file.makeTokenizer(prefixesEverySegment: false)
    #expect(legacy.encode("</s>the", bos: false, special: true) == [2] + legacy.encode("the"))
    #expect(other.encode("</s>the", bos: false, special: true) != [2] + other.encode("the"))
    #expect(other.encode("</s> the", bos: false, special: true) == [2] + other.encode("the"))
  }

  @Test("control tokens have bytes only when asked for, and names always")
  func names() throws {
    let tokenizer = try TokenizerFixtures.model("llama-like")
    #expect(tokenizer.piece(2) == "</s>")
    #expect(tokenizer.bytes(of: 2, special: false).isEmpty)
    #expect(tokenizer.bytes(of: 2, special: true) == Array("</s>".utf8))
    #expect(tokenizer.piece(3 + 10) == "<0x0A>")
    #expect(tokenizer.bytes(of: 3 + 10, special: false) == [10])
    #expect(tokenizer.decode([1, 13, 2, 13]) == "\n\n")
  }

  @Test("ids outside the vocabulary have no bytes and no name", arguments: [TokenID.min, -1, 640, 700, .max])
  func outside(id: TokenID) throws {
    for tokenizer in [try TokenizerFixtures.model("llama-like"), try TokenizerFixtures.json("llama3")]
      as [any Tokenizer]
    where id < 0 || id >= tokenizer.vocabularySize {
      #expect(tokenizer.bytes(of: id, special: true).isEmpty)
      #expect(tokenizer.piece(id).isEmpty)
      #expect(!tokenizer.isControl(id))
      #expect(tokenizer.decode([id]).isEmpty)
    }
  }

  @Test("an added token without text cannot stall")
  func emptyToken() throws {
    let rules = ByteLevelBPETokenizer.Rules(preTokenizer: .gpt2)
    let tokenizer = try ByteLevelBPETokenizer(
      tokens: ["a", "b"], merges: [], added: [AddedToken(id: 2, content: "", special: false)], rules: rules, bos: nil,
      eos: nil, addsBOS: false, file: "test")
    #expect(tokenizer.encode("abba") == [0, 1, 1, 0])
  }

  @Test("a fingerprint tells vocabularies and rules apart")
  func fingerprints() throws {
    let file = try SentencePieceModelFile(try TokenizerFixtures.bytes("llama-like.model"), file: "llama-like.model")
    let one = try file.makeTokenizer()
    let again = try file.makeTokenizer()
    let other = try file.makeTokenizer(prefixesEverySegment: false)
    let unused = try TokenizerFixtures.model("unused")
    #expect(one.fingerprint == again.fingerprint)
    #expect(one.fingerprint.utf8.count == 64)
    #expect(one.fingerprint != other.fingerprint && one.fingerprint != unused.fingerprint)
  }
}
