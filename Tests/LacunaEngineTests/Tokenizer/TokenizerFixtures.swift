import LacunaEngine

/// The small tokenizers of Tests/Fixtures/tokenizers and what their reference libraries make of texts.
enum TokenizerFixtures {
  struct Case {
    var text: String
    var ids: [TokenID]
    /// With control tokens read from the text; nil where the reference has no such mode.
    var special: [TokenID]?
    /// nil: not compared.
    var decoded: String?
  }

  static let directory =
    #filePath.split(separator: "/").dropLast(3).reduce(into: "") { $0 += "/" + $1 } + "/Fixtures/tokenizers"

  static let sentencePiece = ["llama-like", "user-defined", "unused", "no-bytes", "across-words"]
  static let converted = ["converted-legacy", "converted-first"]
  static let byteLevel = ["gpt2", "gpt2-prefix", "llama3", "smollm"]

  static func bytes(_ name: String) throws -> [UInt8] { try readFile("\(directory)/\(name)", limit: 1 << 20) }

  static func model(_ name: String) throws -> SentencePieceTokenizer {
    try SentencePieceModelFile(try bytes("\(name).model"), file: "\(name).model").makeTokenizer()
  }

  static func json(_ name: String) throws -> any Tokenizer {
    try TokenizerJSONFile(try bytes("\(name).json"), file: "\(name).json").makeTokenizer()
  }

  static func cases(_ name: String) throws -> [Case] {
    let json = try JSONValue.parse(try bytes("\(name).expected.json"), file: "\(name).expected.json")
    return json.elements?.map { item in
      let text = item["text"]?.string ?? ""
      let ids = Self.ids(item["ids"])
      return Case(
        text: text, ids: ids, special: item["special"].map(Self.ids) ?? ids,
        decoded: item["decoded"].map { $0.string } ?? text)
    } ?? []
  }

  private static func ids(_ json: JSONValue?) -> [TokenID] {
    json?.elements?.compactMap { $0.integer.map(TokenID.init) } ?? []
  }
}

/// A generator with a seed: the same numbers in every run (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
    return value ^ value >> 31
  }
}
