/// From a GGUF file's vocabulary to a tokenizer that runs.
enum GGUFTokenizer {
  /// - Returns: nil for a file without a tokenizer.
  /// - Throws: `malformed` or `unsupported`, naming the key, token or merge.
  static func make(_ file: GGUFFile, vocabularySize: Int) throws(LacunaError) -> (any Tokenizer)? {
    guard let vocabulary = try GGUFVocabulary.read(file, vocabularySize: vocabularySize) else { return nil }
    switch vocabulary.model {
    case .sentencePiece(let scores):
      var rules = SentencePieceRules()
      rules.dummyPrefix = vocabulary.addsSpacePrefix ? .always : .never
      rules.byteFallback = vocabulary.types.contains(.byte)
      return try SentencePieceTokenizer(
        pieces: vocabulary.tokens, scores: scores, types: vocabulary.types.map(\.rawValue), bos: vocabulary.bos,
        eos: vocabulary.eos, addsBOS: vocabulary.addsBOS, rules: rules, file: file.path)
    case .byteLevel(let merges, let pre):
      return try byteLevel(vocabulary, merges: merges, pre: pre, file)
    }
  }

  private static func byteLevel(
    _ vocabulary: GGUFVocabulary, merges: [String], pre: String, _ file: GGUFFile
  ) throws(LacunaError) -> any Tokenizer {
    guard let preTokenizer = PreTokenizer(ggufName: pre) else {
      throw LacunaError(
        .unsupported, file: file.path, field: "tokenizer.ggml.pre",
        expected: "gpt-2, llama-bpe, qwen2, smollm or default", found: pre.clipped)
    }
    var pairs: [(left: String, right: String)] = []
    pairs.reserveCapacity(merges.count)
    for (index, merge) in merges.enumerated() {
      guard let pair = MergeText(merge) else {
        throw file.mismatch(
          "tokenizer.ggml.merges[\(index)]", "two tokens with a space between", "\"\(merge.clipped)\"")
      }
      pairs.append((pair.left, pair.right))
    }
    var added: [AddedToken] = []
    for (id, (token, type)) in zip(vocabulary.tokens, vocabulary.types).enumerated()
    where type == .control || type == .userDefined {
      added.append(AddedToken(id: TokenID(id), content: token, special: type == .control))
    }
    return try ByteLevelBPETokenizer(
      tokens: vocabulary.tokens, merges: pairs, added: added,
      rules: ByteLevelBPETokenizer.Rules(preTokenizer: preTokenizer, ignoresMerges: pre == "llama-bpe"),
      bos: vocabulary.bos, eos: vocabulary.eos, addsBOS: vocabulary.addsBOS, file: file.path)
  }
}
