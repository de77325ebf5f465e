/// The tables that encoding with a byte-level vocabulary needs, checked.
struct ByteLevelVocabulary: Sendable {
  /// The tokens of single bytes; -1 where there is none.
  let symbolOfByte: [SymbolID]
  private(set) var merges: MergeTable
  /// Tokens by the bytes that they stand for.
  let index: PieceIndex
  let unknown: TokenID?

  init(
    tokens: [String], merges: [(left: String, right: String)], added: [TokenID: AddedToken], unknown: TokenID?,
    file: String
  ) throws(LacunaError) {
    self.unknown = unknown
    var index = PieceIndex(minimumCapacity: tokens.count)
    var literals = PieceIndex(minimumCapacity: 64)
    for (id, token) in tokens.enumerated() where !token.isEmpty {
      let id = SymbolID(truncatingIfNeeded: id)
      // Tokens that are not in the alphabet cannot come from merges.
      let bytes = added[id] == nil ? ByteAlphabet.bytes(of: token) : nil
      let other = bytes.map { index.insert($0, id) } ?? literals.insert(Array(token.utf8), id)
      if let other {
        throw LacunaError(
          .malformed, file: file, field: "token \(id)", expected: "distinct tokens",
          found: "\"\(token.clipped)\" again, which is token \(other)")
      }
    }
    symbolOfByte = (0..<256).map { index[[UInt8($0)]] ?? -1 }
    self.merges = MergeTable(minimumCapacity: merges.count)
    self.index = index
    for (rank, pair) in merges.enumerated() {
      let left = ByteAlphabet.bytes(of: pair.left)
      let right = ByteAlphabet.bytes(of: pair.right)
      if let left, let right, let leftID = index[left], let rightID = index[right], let both = index[left + right] {
        self.merges.set(leftID, rightID, MergeTable.Merge(rank: UInt32(truncatingIfNeeded: rank), symbol: both))
        continue
      }
      // Added tokens may be written in merges as well; text does not become them that way.
      let known = [pair.left, pair.right, pair.left + pair.right].allSatisfy { token in
        literals[Array(token.utf8)] != nil || ByteAlphabet.bytes(of: token).flatMap { index[$0] } != nil
      }
      guard known else {
        throw LacunaError(
          .malformed, file: file, field: "merge \(rank)", expected: "tokens of the vocabulary",
          found: "\"\(pair.left.clipped)\" and \"\(pair.right.clipped)\"")
      }
    }
  }
}
