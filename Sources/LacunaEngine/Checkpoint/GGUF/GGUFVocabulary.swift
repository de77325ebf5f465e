/// The tokenizer that a GGUF file carries in its metadata, as arrays, checked against each other.
struct GGUFVocabulary: Sendable {
  enum Model: Equatable, Sendable {
    /// `tokenizer.ggml.model` "llama": SentencePiece BPE, by scores.
    case sentencePiece(scores: [Float])
    /// "gpt2": byte-level BPE, by merges, with the pre-tokenizer that `tokenizer.ggml.pre` names.
    case byteLevel(merges: [String], pre: String)
  }

  let model: Model
  let tokens: [String]
  let types: [PieceType]
  let bos: TokenID?
  let eos: TokenID?
  let unknown: TokenID?
  let padding: TokenID?
  let addsBOS: Bool
  /// Whether encoding puts a space in front of a text (SentencePiece only).
  let addsSpacePrefix: Bool

  /// - Returns: nil for a file without a tokenizer.
  static func read(_ file: GGUFFile, vocabularySize: Int) throws(LacunaError) -> GGUFVocabulary? {
    guard let name = try file.string("tokenizer.ggml.model"), name != "none" else { return nil }
    guard let tokens = try file.strings("tokenizer.ggml.tokens"), !tokens.isEmpty, tokens.count <= vocabularySize else {
      throw file.mismatch(
        "tokenizer.ggml.tokens", "1 to \(vocabularySize) strings",
        file.metadata["tokenizer.ggml.tokens"]?.shown ?? "no such key")
    }
    let model = try model(name, file, count: tokens.count)
    let isSentencePiece = if case .sentencePiece = model { true } else { false }
    let beginsWithBOS: Bool =
      switch model {
      case .sentencePiece: true
      case .byteLevel(_, let pre): pre == "llama-bpe"
      }
    func id(_ key: String) throws(LacunaError) -> TokenID? {
      let key = "tokenizer.ggml.\(key)_token_id"
      switch file.metadata[key] {
      case .signed(-1), .unsigned(0xFFFF_FFFF): return nil
      default: return try file.integer(key, in: 0...(tokens.count - 1)).map(TokenID.init)
      }
    }
    return GGUFVocabulary(
      model: model, tokens: tokens, types: try types(file, count: tokens.count), bos: try id("bos"),
      eos: try id("eos"), unknown: try id("unknown"), padding: try id("padding"),
      addsBOS: try file.bool("tokenizer.ggml.add_bos_token") ?? beginsWithBOS,
      addsSpacePrefix: try file.bool("tokenizer.ggml.add_space_prefix") ?? isSentencePiece)
  }

  private static func model(_ name: String, _ file: GGUFFile, count: Int) throws(LacunaError) -> Model {
    switch name {
    case "llama":
      guard let scores = try file.floats("tokenizer.ggml.scores"), scores.count == count,
        scores.allSatisfy(\.isFinite)
      else {
        throw file.mismatch(
          "tokenizer.ggml.scores", "\(count) finite numbers, one a token",
          file.metadata["tokenizer.ggml.scores"]?.shown ?? "no such key")
      }
      return .sentencePiece(scores: scores)
    case "gpt2":
      guard let merges = try file.strings("tokenizer.ggml.merges") else {
        throw file.mismatch("tokenizer.ggml.merges", "an array of strings", "no such key")
      }
      let pre = try file.string("tokenizer.ggml.pre") ?? "default"
      let aliases = ["llama3": "llama-bpe", "llama-v3": "llama-bpe"]
      return .byteLevel(merges: merges, pre: aliases[pre] ?? pre)
    default:
      throw LacunaError(
        .unsupported, file: file.path, field: "tokenizer.ggml.model", expected: "llama or gpt2", found: name.clipped)
    }
  }

  private static func types(_ file: GGUFFile, count: Int) throws(LacunaError) -> [PieceType] {
    let key = "tokenizer.ggml.token_type"
    guard let numbers = try file.integers(key) else { return Array(repeating: .normal, count: count) }
    guard numbers.count == count else { throw file.mismatch(key, "\(count) types, one a token", "\(numbers.count)") }
    var types: [PieceType] = []
    types.reserveCapacity(count)
    for (index, number) in numbers.enumerated() {
      guard let type = Int32(exactly: number).flatMap(PieceType.init(rawValue:)) else {
        throw file.mismatch("\(key)[\(index)]", "a type of 1 to 6", "\(number)")
      }
      types.append(type)
    }
    return types
  }
}
