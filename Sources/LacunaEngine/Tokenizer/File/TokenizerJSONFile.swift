/// A Hugging Face tokenizer.json with a BPE model, byte-level or converted from SentencePiece.
///
/// Everything in it that changes which ids a text gets is either carried out or refused by name, but for one thing: an
/// added token is found in the text as it was given, also where it asks to be found behind the normalizer. Behind it a
/// `</s>` right after a letter would not be found at all, and older conversions of Llama ask for that by mistake.
package struct TokenizerJSONFile {
  /// What `model` holds.
  struct Model {
    var type: String?
    var vocabulary: [(token: String, id: TokenID)] = []
    var merges: [(left: String, right: String)] = []
    var unknown: String?
    var fusesUnknown = false
    var byteFallback = false
    var ignoresMerges = false
  }

  private(set) var model = Model()
  private(set) var added: [AddedToken] = []
  private(set) var normalizer = JSONValue.null
  private(set) var preTokenizer = JSONValue.null
  private(set) var postProcessor = JSONValue.null
  private(set) var decoder = JSONValue.null
  private(set) var file: String
  /// How many tokens the model knows; nil does not limit them.
  private(set) var rows: Int?

  // Parts of the document other than the vocabulary, the merges and the added tokens.
  private static let partLimit = 10_000

  // What is kept of each list; the tokens that count are checked by id later.
  private var tokenLimit: Int { rows ?? 1 << 20 }
  private var mergeLimit: Int { 16 * max(tokenLimit, 1 << 10) }
  private var addedLimit: Int { tokenLimit + (1 << 16) }

  /// - Parameter rows: how many tokens the model knows; a larger vocabulary is refused before it is kept.
  /// - Throws: `malformed` or `unsupported`, naming the field.
  package init(_ data: [UInt8], rows: Int? = nil, file: String) throws(LacunaError) {
    self.file = file
    self.rows = rows
    var parsed = self
    try JSONReader.read(data, file: file) { (reader) throws(LacunaError) in
      try reader.readObject { (reader, name) throws(LacunaError) in
        var limit = Self.partLimit
        switch name {
        case "model": try parsed.readModel(&reader)
        case "added_tokens": try parsed.readAddedTokens(&reader)
        case "normalizer": parsed.normalizer = try reader.readValue(limit: &limit)
        case "pre_tokenizer": parsed.preTokenizer = try reader.readValue(limit: &limit)
        case "post_processor": parsed.postProcessor = try reader.readValue(limit: &limit)
        case "decoder": parsed.decoder = try reader.readValue(limit: &limit)
        default: try reader.skipValue()
        }
      }
    }
    self = parsed
    guard model.type ?? "BPE" == "BPE" else {
      throw LacunaError(
        .unsupported, file: file, field: "model.type", expected: "BPE", found: "\(model.type?.clipped ?? "")")
    }
    guard !model.vocabulary.isEmpty else {
      throw LacunaError(.malformed, file: file, field: "model.vocab", expected: "tokens", found: "none")
    }
  }

  private static func check(_ count: Int, below limit: Int, _ reader: JSONReader) throws(LacunaError) {
    if count >= limit { throw reader.failure("expected at most \(limit) for this model, found more") }
  }

  private mutating func readAddedTokens(_ reader: inout JSONReader) throws(LacunaError) {
    if try reader.peekKind() == .null { return try reader.readNull() }
    var tokens: [AddedToken] = []
    try reader.readArray { (reader) throws(LacunaError) in
      try Self.check(tokens.count, below: addedLimit, reader)
      var limit = 64
      let value = try reader.readValue(limit: &limit)
      tokens.append(try AddedToken(value, id: nil, field: "added_tokens[\(tokens.count)]", file: file))
    }
    added = tokens
  }

  private mutating func readModel(_ reader: inout JSONReader) throws(LacunaError) {
    var model = Model()
    try reader.readObject { (reader, name) throws(LacunaError) in
      if try reader.peekKind() == .null { return try reader.readNull() }
      switch name {
      case "type": model.type = try reader.readString()
      case "vocab": model.vocabulary = try Self.readVocabulary(&reader, limit: tokenLimit)
      case "merges": model.merges = try Self.readMerges(&reader, limit: mergeLimit)
      case "unk_token": model.unknown = try reader.readString()
      case "fuse_unk": model.fusesUnknown = try reader.readBool()
      case "byte_fallback": model.byteFallback = try reader.readBool()
      case "ignore_merges": model.ignoresMerges = try reader.readBool()
      case "dropout":
        switch try reader.readNumber() {
        case .integer(0), .double(0): break
        case .integer(let rate): throw dropout("\(rate)")
        case .double(let rate): throw dropout("\(rate)")
        }
      case "continuing_subword_prefix", "end_of_word_suffix":
        let text = try reader.readString()
        guard text.isEmpty else {
          throw LacunaError(
            .unsupported, file: file, field: "model.\(name)", expected: "none", found: "\"\(text.clipped)\"")
        }
      default: try reader.skipValue()
      }
    }
    self.model = model
  }

  private func dropout(_ rate: String) -> LacunaError {
    LacunaError(.unsupported, file: file, field: "model.dropout", expected: "none", found: rate)
  }

  private static func readVocabulary(
    _ reader: inout JSONReader, limit: Int
  ) throws(LacunaError) -> [(token: String, id: TokenID)] {
    // Models of other types write lists; their type is refused once it is known.
    guard try reader.peekKind() == .object else {
      try reader.skipValue()
      return []
    }
    var vocabulary: [(token: String, id: TokenID)] = []
    try reader.readObject { (reader, token) throws(LacunaError) in
      try check(vocabulary.count, below: limit, reader)
      let number = try reader.readInteger()
      guard number >= 0, let id = TokenID(exactly: number) else {
        throw reader.failure("expected a token id, found \(number)")
      }
      guard !token.isEmpty else { throw reader.failure("expected a token, found one without text") }
      vocabulary.append((token, id))
    }
    return vocabulary
  }

  // "a b", or ["a", "b"] since tokenizers 0.20.
  private static func readMerges(
    _ reader: inout JSONReader, limit: Int
  ) throws(LacunaError) -> [(left: String, right: String)] {
    var merges: [(left: String, right: String)] = []
    try reader.readArray { (reader) throws(LacunaError) in
      try check(merges.count, below: limit, reader)
      if try reader.peekKind() == .array {
        var pair: [String] = []
        try reader.readArray { (reader) throws(LacunaError) in
          if pair.count < 3 { pair.append(try reader.readString()) } else { try reader.skipValue() }
        }
        guard pair.count == 2 else { throw reader.failure("expected two tokens, found \(pair.count)") }
        merges.append((pair[0], pair[1]))
      } else {
        let text = try reader.readString()
        guard let pair = MergeText(text) else {
          throw reader.failure("expected two tokens and a space, found \"\(text.clipped)\"")
        }
        merges.append((pair.left, pair.right))
      }
    }
    return merges
  }
}

/// The two tokens of a merge written "a b", as in tokenizer.json and GGUF.
package struct MergeText {
  package let left: String
  package let right: String

  /// nil unless there is exactly one space, between the two.
  package init?(_ text: String) {
    let bytes = text.utf8
    guard let space = bytes.firstIndex(of: UInt8(ascii: " ")), space != bytes.startIndex else { return nil }
    let rest = bytes[bytes.index(after: space)...]
    guard !rest.isEmpty, !rest.contains(UInt8(ascii: " ")) else { return nil }
    left = String(text[..<space])
    right = String(text[rest.startIndex...])
  }
}
