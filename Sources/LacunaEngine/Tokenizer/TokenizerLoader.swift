/// A checkpoint directory's own tokenizer.
package enum TokenizerLoader {
  /// The largest vocabulary file that is read, in bytes.
  package static let byteLimit = 64 << 20

  /// Reads tokenizer.model, or else tokenizer.json; tokenizer_config.json adds its tokens and flags to either.
  ///
  /// tokenizer.model goes first: it is what the Llama 2 family was trained with, scores included, and a tokenizer.json
  /// beside it was derived from it.
  /// - Parameter config: its `vocabSize` bounds the ids; its BOS and EOS are used where the files name none.
  /// - Returns: nil for a directory that has neither file.
  /// - Throws: `malformed` or `unsupported`, naming the file and the field.
  package static func load(directory: String, config: ModelConfig) throws(LacunaError) -> (any Tokenizer)? {
    let model = directory + "/tokenizer.model"
    let json = directory + "/tokenizer.json"
    if fileExists(model) {
      return try loadModel(model, TokenizerConfiguration(directory: directory), config)
    }
    if fileExists(json) {
      let file = try TokenizerJSONFile(try readFile(json, limit: byteLimit), rows: config.vocabSize, file: json)
      return try file.makeTokenizer(
        TokenizerConfiguration(directory: directory), bosFallback: config.bosTokenID,
        eosFallback: config.eosTokenIDs.first)
    }
    return nil
  }

  private static func loadModel(
    _ path: String, _ configuration: TokenizerConfiguration, _ config: ModelConfig
  ) throws(LacunaError) -> SentencePieceTokenizer {
    let file = try SentencePieceModelFile(try readFile(path, limit: byteLimit), rows: config.vocabSize, file: path)
    // The model could not read those beyond its rows.
    let added = configuration.added.filter { $0.id < config.vocabSize }
    func id(of token: String?) -> TokenID? {
      guard let token else { return nil }
      if let found = added.first(where: { $0.content.utf8.elementsEqual(token.utf8) }) { return found.id }
      return file.pieces.firstIndex { $0.utf8.elementsEqual(token.utf8) }.map { TokenID($0) }
    }
    return try file.makeTokenizer(
      bos: id(of: configuration.bosToken) ?? file.bos ?? config.bosTokenID,
      eos: id(of: configuration.eosToken) ?? file.eos ?? config.eosTokenIDs.first,
      addsBOS: configuration.addsBOS ?? true, prefixesEverySegment: configuration.legacy, added: added)
  }
}
