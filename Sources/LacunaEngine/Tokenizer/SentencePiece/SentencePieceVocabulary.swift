/// The tables that encoding with a SentencePiece vocabulary needs, checked.
struct SentencePieceVocabulary: Sendable {
  /// UTF-8, by id.
  let pieces: [[UInt8]]
  let types: [PieceType]
  let unknown: TokenID?
  /// Ids of the 256 byte pieces; empty without them.
  let bytePieces: [TokenID]
  private(set) var symbols = ScalarTable()
  private(set) var merges = MergeTable()
  private(set) var userDefined = LiteralMatcher()
  /// The characters that symbols past the vocabulary stand for, in UTF-8.
  private(set) var characters: [[UInt8]] = []
  /// Some unused piece can come up while merging.
  private(set) var reachesUnused = false
  /// By the last byte of a character: whether some piece goes on from it with a space. Where none does, words can
  /// be encoded one by one: a merge across the boundary would make such a piece.
  private(set) var gluesToSpace = Array(repeating: false, count: 256)

  /// The longest piece that is taken, in bytes.
  static let longestPiece = 512
  static let space: [UInt8] = [0xE2, 0x96, 0x81]  // U+2581

  /// How pieces merge.
  enum Order {
    /// Two symbols merge if together they are a piece, the one with the highest score first.
    case scores([Float])
    /// Pairs in the order in which they merge.
    case merges([(left: [UInt8], right: [UInt8])])
  }

  init(pieces: [[UInt8]], types: [PieceType], order: Order, rules: SentencePieceRules, file: String) throws(LacunaError)
  {
    self.pieces = pieces
    self.types = types
    unknown = types.firstIndex(of: .unknown).map { TokenID($0) }
    bytePieces = try Self.bytePieces(pieces, types, wanted: rules.byteFallback, file: file)
    var index = PieceIndex(minimumCapacity: pieces.count)
    var reserved = PieceIndex(minimumCapacity: 512)
    try addPieces(to: &index, reserved: &reserved, file: file)
    switch order {
    case .scores(let scores): addMerges(scores, index)
    case .merges(let pairs): try addMerges(pairs, index, reserved: reserved, file)
    }
    findGlue()
  }

  private mutating func addPieces(
    to index: inout PieceIndex, reserved: inout PieceIndex, file: String
  ) throws(LacunaError) {
    for (id, piece) in pieces.enumerated() {
      let type = types[id]
      guard !piece.isEmpty else {
        throw LacunaError(.malformed, file: file, field: "piece \(id)", expected: "text", found: "none")
      }
      guard piece.count <= Self.longestPiece else {
        throw LacunaError(
          .unsupported, file: file, field: "piece \(id)", expected: "at most \(Self.longestPiece) bytes",
          found: "\(piece.count)")
      }
      let symbol = SymbolID(truncatingIfNeeded: id)
      let other = type.isMatched ? index.insert(piece, symbol) : reserved.insert(piece, symbol)
      if let other {
        throw LacunaError(
          .malformed, file: file, field: "piece \(id)", expected: "distinct pieces",
          found: "\"\(String(decoding: piece, as: UTF8.self).clipped)\" again, which is piece \(other)")
      }
      if type == .userDefined { userDefined.insert(piece, id: symbol) }
      if type.isMatched, decodeScalar(piece, at: 0).count == piece.count {
        symbols[decodeScalar(piece, at: 0).scalar] = symbol
      }
    }
  }

  private mutating func addMerges(_ scores: [Float], _ index: PieceIndex) {
    var index = index
    addCharacters(to: &index)
    let distinct = Set(scores.map { $0 == 0 ? 0 : $0 }).sorted(by: >)
    let rankOfScore = Dictionary(uniqueKeysWithValues: zip(distinct, 0..<UInt32(truncatingIfNeeded: distinct.count)))
    var table = MergeTable(minimumCapacity: pieces.count * 2)
    var mergesUnused = false
    for (id, piece) in pieces.enumerated() where types[id].isMatched {
      let merge = MergeTable.Merge(rank: rankOfScore[scores[id]] ?? 0, symbol: SymbolID(truncatingIfNeeded: id))
      index.forEachSplit(of: piece) { left, right in
        table.set(left, right, merge)
        if types[id] == .unused { mergesUnused = true }
      }
    }
    merges = table
    reachesUnused = mergesUnused
  }

  // Characters that occur in pieces without being one get numbers past the vocabulary: they merge all the same.
  private mutating func addCharacters(to index: inout PieceIndex) {
    for (id, piece) in pieces.enumerated() where types[id].isMatched {
      var position = 0
      while position < piece.count {
        let (scalar, count) = decodeScalar(piece, at: position)
        if symbols[scalar] < 0 {
          let character = Array(piece[position..<position + count])
          let symbol = SymbolID(truncatingIfNeeded: pieces.count + characters.count)
          symbols[scalar] = symbol
          _ = index.insert(character, symbol)
          characters.append(character)
        }
        position += count
      }
    }
  }

  // Merges from or into control tokens and byte pieces are left out: text must not become those.
  private mutating func addMerges(
    _ pairs: [(left: [UInt8], right: [UInt8])], _ index: PieceIndex, reserved: PieceIndex, _ file: String
  ) throws(LacunaError) {
    merges = MergeTable(minimumCapacity: pairs.count)
    for (rank, pair) in pairs.enumerated() {
      let both = pair.left + pair.right
      if let left = index[pair.left], let right = index[pair.right], let result = index[both] {
        merges.set(left, right, MergeTable.Merge(rank: UInt32(truncatingIfNeeded: rank), symbol: result))
      } else if [pair.left, pair.right, both].contains(where: { index[$0] == nil && reserved[$0] == nil }) {
        throw LacunaError(
          .malformed, file: file, field: "merge \(rank)", expected: "tokens of the vocabulary",
          found:
            "\"\(String(decoding: pair.left, as: UTF8.self).clipped)\" and \"\(String(decoding: pair.right, as: UTF8.self).clipped)\""
        )
      }
    }
  }

  private mutating func findGlue() {
    for (id, piece) in pieces.enumerated() where types[id].isMatched {
      var previous: UInt8?
      var position = 0
      while position < piece.count {
        let count = decodeScalar(piece, at: position).count
        let isSpace = piece[position..<position + count].elementsEqual(Self.space)
        if isSpace, let previous { gluesToSpace[Int(previous)] = true }
        previous = isSpace ? nil : piece[position + count - 1]
        position += count
      }
    }
  }

  private static func bytePieces(
    _ pieces: [[UInt8]], _ types: [PieceType], wanted: Bool, file: String
  ) throws(LacunaError) -> [TokenID] {
    var ids = [TokenID](repeating: -1, count: 256)
    for (id, piece) in pieces.enumerated() where types[id] == .byte {
      guard let byte = byte(named: piece) else {
        throw LacunaError(
          .malformed, file: file, field: "piece \(id)", expected: "a byte piece from <0x00> to <0xFF>",
          found: "\"\(String(decoding: piece, as: UTF8.self).clipped)\"")
      }
      ids[Int(byte)] = TokenID(truncatingIfNeeded: id)
    }
    if let missing = ids.firstIndex(of: -1), wanted {
      throw LacunaError(
        .malformed, file: file, field: "byte pieces", expected: "all 256 of them for byte fallback",
        found: "none for byte \(missing)")
    }
    return ids.contains(-1) ? [] : ids
  }

  /// The byte that "<0x0A>" stands for; hexadecimal digits are upper case.
  static func byte(named piece: [UInt8]) -> UInt8? {
    guard piece.count == 6, piece.starts(with: Array("<0x".utf8)), piece[5] == UInt8(ascii: ">") else { return nil }
    func digit(_ byte: UInt8) -> UInt8? {
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
      case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
      default: nil
      }
    }
    guard let high = digit(piece[3]), let low = digit(piece[4]) else { return nil }
    return high << 4 | low
  }
}
