/// A GGUF file's tokenizer as the files that Hugging Face's tokenizers load.
enum GGUFTokenizerFiles {
  static func make(_ source: GGUFSource) throws(LacunaError) -> [(name: String, bytes: [UInt8])] {
    guard let vocabulary = try GGUFVocabulary.read(source.file, vocabularySize: source.config.vocabSize) else {
      return []
    }
    var files: [(name: String, bytes: [UInt8])] = []
    switch vocabulary.model {
    case .sentencePiece(let scores):
      files.append(("tokenizer.model", SentencePieceModelWriter.bytes(vocabulary, scores: scores)))
    case .byteLevel(let merges, let pre):
      let json = try byteLevelJSON(vocabulary, merges: merges, pre: pre, source.path)
      files.append(("tokenizer.json", json.rendered()))
    }
    files.append(("tokenizer_config.json", config(vocabulary, source).rendered()))
    return files
  }

  private static func config(_ vocabulary: GGUFVocabulary, _ source: GGUFSource) -> JSONText {
    var members: [(String, JSONText)] = [
      ("add_bos_token", .bool(vocabulary.addsBOS)),
      ("add_eos_token", .bool(false)),
      ("clean_up_tokenization_spaces", .bool(false)),
      ("model_max_length", .integer(source.config.maxPositionEmbeddings)),
    ]
    let special = [
      ("bos_token", vocabulary.bos), ("eos_token", vocabulary.eos), ("pad_token", vocabulary.padding),
      ("unk_token", vocabulary.unknown),
    ]
    for (name, id) in special {
      if let id { members.append((name, .string(vocabulary.tokens[Int(id)]))) }
    }
    switch vocabulary.model {
    case .sentencePiece:
      members += [
        ("add_prefix_space", .bool(vocabulary.addsSpacePrefix)), ("legacy", .bool(true)),
        ("tokenizer_class", .string("LlamaTokenizer")),
      ]
    case .byteLevel: members.append(("tokenizer_class", .string("PreTrainedTokenizerFast")))
    }
    if let template = source.chatTemplate { members.append(("chat_template", .string(template))) }
    return .object(members)
  }

  private static func byteLevelJSON(
    _ vocabulary: GGUFVocabulary, merges: [String], pre: String, _ path: String
  ) throws(LacunaError) -> JSONText {
    var added: [JSONText] = []
    for (id, (token, type)) in zip(vocabulary.tokens, vocabulary.types).enumerated()
    where type == .control || type == .userDefined {
      added.append(
        .object([
          ("id", .integer(id)), ("content", .string(token)), ("single_word", .bool(false)), ("lstrip", .bool(false)),
          ("rstrip", .bool(false)), ("normalized", .bool(false)), ("special", .bool(type != .userDefined)),
        ]))
    }
    let model: [(String, JSONText)] = [
      ("type", .string("BPE")), ("dropout", .null), ("unk_token", .null), ("continuing_subword_prefix", .null),
      ("end_of_word_suffix", .null), ("fuse_unk", .bool(false)), ("byte_fallback", .bool(false)),
      ("ignore_merges", .bool(pre == "llama-bpe")),
      ("vocab", .object(vocabulary.tokens.enumerated().map { ($1, .integer($0)) })),
      ("merges", .array(merges.map(JSONText.string))),
    ]
    let decoder = byteLevel(addsPrefixSpace: true, usesPattern: true)
    return .object([
      ("version", .string("1.0")), ("truncation", .null), ("padding", .null), ("added_tokens", .array(added)),
      ("normalizer", .null), ("pre_tokenizer", try preTokenizer(pre, path)),
      ("post_processor", postProcessor(vocabulary)), ("decoder", decoder), ("model", .object(model)),
    ])
  }

  private static func byteLevel(addsPrefixSpace: Bool, usesPattern: Bool) -> JSONText {
    .object([
      ("type", .string("ByteLevel")), ("add_prefix_space", .bool(addsPrefixSpace)), ("trim_offsets", .bool(true)),
      ("use_regex", .bool(usesPattern)),
    ])
  }

  private static func preTokenizer(_ pre: String, _ path: String) throws(LacunaError) -> JSONText {
    let gpt2 = byteLevel(addsPrefixSpace: false, usesPattern: true)
    switch pre {
    case "gpt-2": return gpt2
    case "smollm":
      let digits = JSONText.object([("type", .string("Digits")), ("individual_digits", .bool(true))])
      return .object([("type", .string("Sequence")), ("pretokenizers", .array([digits, gpt2]))])
    case "llama-bpe", "qwen2":
      // Llama 3's pattern, as its tokenizer.json states it; Qwen 2's differs in how many digits make a word.
      let digits = pre == "qwen2" ? #"\p{N}"# : #"\p{N}{1,3}"#
      let pattern =
        #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\#(digits)| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
      let split = JSONText.object([
        ("type", .string("Split")), ("pattern", .object([("Regex", .string(pattern))])),
        ("behavior", .string("Isolated")), ("invert", .bool(false)),
      ])
      return .object([
        ("type", .string("Sequence")),
        ("pretokenizers", .array([split, byteLevel(addsPrefixSpace: false, usesPattern: false)])),
      ])
    default:
      throw LacunaError(
        .unsupported, file: path, field: "tokenizer.ggml.pre", expected: "gpt-2, smollm, llama-bpe or qwen2",
        found: pre.clipped)
    }
  }

  private static func postProcessor(_ vocabulary: GGUFVocabulary) -> JSONText {
    guard vocabulary.addsBOS, let bos = vocabulary.bos else {
      return byteLevel(addsPrefixSpace: true, usesPattern: true)
    }
    let token = vocabulary.tokens[Int(bos)]
    func sequence(_ name: String, _ kind: Int) -> JSONText {
      .object([("Sequence", .object([("id", .string(name)), ("type_id", .integer(kind))]))])
    }
    func special(_ kind: Int) -> JSONText {
      .object([("SpecialToken", .object([("id", .string(token)), ("type_id", .integer(kind))]))])
    }
    let definition: [(String, JSONText)] = [
      ("id", .string(token)), ("ids", .array([.integer(Int(bos))])), ("tokens", .array([.string(token)])),
    ]
    return .object([
      ("type", .string("TemplateProcessing")), ("single", .array([special(0), sequence("A", 0)])),
      ("pair", .array([special(0), sequence("A", 0), special(1), sequence("B", 1)])),
      ("special_tokens", .object([(token, .object(definition))])),
    ])
  }
}
