/// SentencePiece's BPE models: Llama 2 and its relatives, from tokenizer.model, GGUF or a tokenizer.json that was
/// converted from one.
public final class SentencePieceTokenizer: Tokenizer {
  public let vocabularySize: Int
  public let bos: TokenID?
  public let eos: TokenID?
  public let addsBOS: Bool
  public let fingerprint: String
  package let rules: SentencePieceRules
  private let vocabulary: SentencePieceVocabulary
  private let added: AddedTokenSplitter
  private let addedByID: [TokenID: AddedToken]

  /// A vocabulary in which two symbols merge where together they are a piece, the best score first.
  /// - Parameters:
  ///   - types: SentencePiece's codes, see `PieceType`; GGUF's token_type is the same.
  ///   - added: tokens beyond the pieces, or other properties for some of them.
  ///   - file: what errors name.
  /// - Throws: `malformed` or `unsupported`, naming the piece.
  package convenience init(
    pieces: [String], scores: [Float], types: [Int32], bos: TokenID?, eos: TokenID?, addsBOS: Bool = true,
    rules: SentencePieceRules = SentencePieceRules(), added: [AddedToken] = [], file: String
  ) throws(LacunaError) {
    guard scores.count == pieces.count, types.count == pieces.count else {
      throw LacunaError(
        .malformed, file: file, field: "vocabulary", expected: "a score and a type for each of \(pieces.count) pieces",
        found: "\(scores.count) scores and \(types.count) types")
    }
    if let id = scores.firstIndex(where: { !$0.isFinite }) {
      throw LacunaError(
        .malformed, file: file, field: "piece \(id): score", expected: "a finite number", found: "\(scores[id])")
    }
    var kinds: [PieceType] = []
    kinds.reserveCapacity(types.count)
    for (id, code) in types.enumerated() {
      guard let type = PieceType(rawValue: code) else {
        throw LacunaError(.malformed, file: file, field: "piece \(id): type", expected: "1 to 6", found: "\(code)")
      }
      kinds.append(type)
    }
    try self.init(
      pieces: pieces, types: kinds, order: .scores(scores), bos: bos, eos: eos, addsBOS: addsBOS, rules: rules,
      added: added, file: file)
  }

  init(
    pieces: [String], types: [PieceType], order: SentencePieceVocabulary.Order, bos: TokenID?, eos: TokenID?,
    addsBOS: Bool, rules: SentencePieceRules, added: [AddedToken], file: String
  ) throws(LacunaError) {
    let vocabulary = try SentencePieceVocabulary(
      pieces: pieces.map { Array($0.utf8) }, types: types, order: order, rules: rules, file: file)
    var tokens: [TokenID: AddedToken] = [:]
    for (id, type) in types.enumerated() where type == .control || type == .unknown {
      let id = TokenID(truncatingIfNeeded: id)
      tokens[id] = AddedToken(id: id, content: pieces[Int(id)], special: true)
    }
    for token in added { tokens[token.id] = token }
    vocabularySize = max(pieces.count, added.map { Int($0.id) + 1 }.max() ?? 0)
    for (name, id) in [("bos", bos), ("eos", eos)] {
      if let id, id < 0 || id >= vocabularySize {
        throw LacunaError(
          .malformed, file: file, field: name, expected: "an id below \(vocabularySize)", found: "\(id)")
      }
    }
    addedByID = tokens
    let sorted = tokens.values.sorted { $0.id < $1.id }
    self.added = try AddedTokenSplitter(sorted, file: file)
    self.vocabulary = vocabulary
    self.bos = bos
    self.eos = eos
    self.addsBOS = addsBOS && bos != nil
    self.rules = rules
    fingerprint = Self.digest(vocabulary, order, sorted, rules, bos: addsBOS ? bos : nil)
  }

  public var textRules: TextRules {
    TextRules(stripsLeadingSpace: rules.dummyPrefix != .never, repairsEachByte: true)
  }

  public func encode(_ text: String, bos: Bool, special: Bool) -> [TokenID] {
    encode(text, bos: bos, markup: special ? [0..<text.utf8.count] : [])
  }

  public func encode(_ text: String, bos: Bool, markup: [Range<Int>]) -> [TokenID] {
    let source = Array(text.utf8)
    var encoder = SentencePieceEncoder(vocabulary, rules: rules, textCount: source.count)
    if bos, addsBOS, let id = self.bos { encoder.append(id) }
    for segment in added.segments(of: source, markup: markup) {
      if let id = segment.id {
        encoder.append(id)
      } else {
        encoder.encode(source, segment.range, isFirst: segment.range.lowerBound == 0)
      }
    }
    return encoder.ids
  }

  public func bytes(of token: TokenID, special: Bool) -> [UInt8] {
    if let token = addedByID[token] { return token.special && !special ? [] : Array(token.content.utf8) }
    guard let index = Int(exactly: token), vocabulary.pieces.indices.contains(index) else { return [] }
    let piece = vocabulary.pieces[index]
    if vocabulary.types[index] == .byte { return SentencePieceVocabulary.byte(named: piece).map { [$0] } ?? [] }
    return rules.escapesSpaces ? Self.unescape(piece) : piece
  }

  public func piece(_ token: TokenID) -> String {
    if let token = addedByID[token] { return token.content }
    guard let index = Int(exactly: token), vocabulary.pieces.indices.contains(index) else { return "" }
    return String(decoding: vocabulary.pieces[index], as: UTF8.self)
  }

  public func isControl(_ token: TokenID) -> Bool { addedByID[token]?.special ?? false }

  // U+2581 back to a space.
  private static func unescape(_ piece: [UInt8]) -> [UInt8] {
    guard piece.contains(0xE2) else { return piece }
    var bytes: [UInt8] = []
    var position = 0
    while position < piece.count {
      if piece[position...].starts(with: SentencePieceVocabulary.space) {
        bytes.append(UInt8(ascii: " "))
        position += SentencePieceVocabulary.space.count
      } else {
        bytes.append(piece[position])
        position += 1
      }
    }
    return bytes
  }

  private static func digest(
    _ vocabulary: SentencePieceVocabulary, _ order: SentencePieceVocabulary.Order, _ added: [AddedToken],
    _ rules: SentencePieceRules, bos: TokenID?
  ) -> String {
    var digest = TokenizerDigest(kind: "sentencepiece")
    for (id, piece) in vocabulary.pieces.enumerated() {
      digest.add(piece)
      digest.add(vocabulary.types[id].rawValue)
    }
    switch order {
    case .scores(let scores): for score in scores { digest.add(score.bitPattern) }
    case .merges(let pairs):
      for pair in pairs {
        digest.add(pair.left)
        digest.add(pair.right)
      }
    }
    digest.add(added, bos: bos)
    digest.add(Array(rules.dummyPrefix.rawValue.utf8))
    for flag in [
      rules.prefixesEverySegment, rules.removesExtraSpaces, rules.escapesSpaces, rules.splitsAtEverySpace,
      rules.byteFallback, rules.fusesUnknown,
    ] { digest.add(flag ? 1 : 0 as UInt32) }
    return digest.finish()
  }
}
