import LacunaEngine
import Testing

@Suite("Pre-tokenizers")
struct PreTokenizerTests {
  private func words(_ text: String, _ preTokenizer: PreTokenizer) -> [String] {
    let bytes = Array(text.utf8)
    var words: [String] = []
    preTokenizer.forEachWord(in: bytes, 0..<bytes.count) { words.append(String(decoding: bytes[$0], as: UTF8.self)) }
    return words
  }

  @Test("GPT-2 keeps one space with the word that follows")
  func gpt2() {
    #expect(
      words("It's  two  spaces, 12 \n\nend ", .gpt2) == [
        "It", "'s", " ", " two", " ", " spaces", ",", " 12", " \n", "\n", "end", " ",
      ])
    #expect(words("IT'S", .gpt2) == ["IT", "'", "S"])
  }

  @Test("Llama 3 groups digits by three, keeps newlines together and ignores the case of contractions")
  func llama3() {
    #expect(
      words("IT'S 12345, ok!\n\n  x \n y", .llama3) == [
        "IT", "'S", " ", "123", "45", ",", " ok", "!\n\n", " ", " x", " \n", " y",
      ])
    #expect(words("(word) \tword", .llama3) == ["(word", ")", " ", "\tword"])
  }

  @Test("SmolLM takes digits one by one")
  func smollm() { #expect(words("a 123", .smollm) == ["a", " ", "1", "2", "3"]) }

  @Test("llama.cpp's default sets punctuation and groups of three digits apart")
  func standard() throws {
    let preTokenizer = try #require(PreTokenizer(ggufName: "default"))
    #expect(
      words("pay $12345, now: x+y", preTokenizer) == ["pay", " ", "$", "123", "45", ",", " now", ":", " x", "+", "y"])
    #expect(words("1234567", preTokenizer) == ["123", "456", "7"])
  }

  @Test(
    "the words joined are the text, whatever the text", arguments: ["gpt-2", "llama-bpe", "qwen2", "smollm", "default"])
  func coverage(name: String) throws {
    let preTokenizer = try #require(PreTokenizer(ggufName: name))
    for item in try TokenizerFixtures.cases("gpt2") {
      let words = words(item.text, preTokenizer)
      #expect(words.joined().utf8.elementsEqual(item.text.utf8))
      #expect(!words.contains(""))
    }
  }

  @Test("a name that is not known is not guessed")
  func unknown() { #expect(PreTokenizer(ggufName: "tekken") == nil) }
}
