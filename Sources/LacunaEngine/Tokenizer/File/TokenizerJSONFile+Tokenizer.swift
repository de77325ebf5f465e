extension TokenizerJSONFile {
  /// Added tokens beyond the model's rows are left out, for it could not read them; other tokens there are refused.
  /// - Parameter bosFallback, eosFallback: used where neither file names one.
  /// - Throws: `unsupported` for a component that is not known, `malformed` for a broken vocabulary.
  package func makeTokenizer(
    _ configuration: TokenizerConfiguration = TokenizerConfiguration(), bosFallback: TokenID? = nil,
    eosFallback: TokenID? = nil
  ) throws(LacunaError) -> any Tokenizer {
    let tokens = try tokens()
    var addedByID: [TokenID: AddedToken] = [:]
    for token in added + configuration.added { addedByID[token.id] = token }
    // Ids without a row, and gaps that only a broken file has.
    let limit = rows ?? tokens.count + addedByID.count + (1 << 16)
    let added = addedByID.values.filter { $0.id < limit }.sorted { $0.id < $1.id }

    func id(of token: String?) -> TokenID? {
      guard let token else { return nil }
      if let found = added.first(where: { $0.content.utf8.elementsEqual(token.utf8) }) { return found.id }
      return tokens.firstIndex { $0.utf8.elementsEqual(token.utf8) }.map { TokenID($0) }
    }
    let template = try templateBOS()
    let marks = Marks(
      bos: id(of: configuration.bosToken) ?? template ?? bosFallback,
      eos: id(of: configuration.eosToken) ?? eosFallback,
      unknown: id(of: model.unknown), addsBOS: configuration.addsBOS ?? (template != nil))
    if let rules = try byteLevelRules() {
      return try ByteLevelBPETokenizer(
        tokens: tokens, merges: model.merges, added: added, rules: rules, bos: marks.bos, eos: marks.eos,
        unknown: marks.unknown, addsBOS: marks.addsBOS, file: file)
    }
    return try makeSentencePiece(tokens, added, marks)
  }

  private struct Marks {
    var bos: TokenID?
    var eos: TokenID?
    var unknown: TokenID?
    var addsBOS: Bool
  }

  private func makeSentencePiece(
    _ tokens: [String], _ added: [AddedToken], _ marks: Marks
  ) throws(LacunaError) -> SentencePieceTokenizer {
    let rules = try sentencePieceRules()
    let addedIDs = Set(added.map(\.id))
    var types: [PieceType] = []
    for (id, token) in tokens.enumerated() {
      let id = TokenID(truncatingIfNeeded: id)
      if id == marks.unknown {
        types.append(.unknown)
      } else if token.isEmpty || addedIDs.contains(id) {
        types.append(.control)
      } else if rules.byteFallback, SentencePieceVocabulary.byte(named: Array(token.utf8)) != nil {
        types.append(.byte)
      } else {
        types.append(.normal)
      }
    }
    // An id without a token: nothing maps to it, and pieces are not empty.
    let pieces = tokens.enumerated().map { $1.isEmpty ? "<unassigned \($0)>" : $1 }
    return try SentencePieceTokenizer(
      pieces: pieces, types: types,
      order: .merges(model.merges.map { (left: Array($0.left.utf8), right: Array($0.right.utf8)) }), bos: marks.bos,
      eos: marks.eos, addsBOS: marks.addsBOS, rules: rules, added: added, file: file)
  }
}
