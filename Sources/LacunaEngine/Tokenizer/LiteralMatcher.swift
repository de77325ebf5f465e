/// Finds literal strings in text, the longest at the leftmost place first: control tokens, added tokens and
/// user-defined pieces.
struct LiteralMatcher: Sendable {
  /// The longest literal that is taken, in bytes: it bounds the work at each place of a text.
  static let longestLiteral = 512

  // A trie: (node, byte) -> node, the root being 0.
  private var edges = MergeTable()
  private var idOfNode: [TokenID] = [-1]
  private var isFirstByte = Array(repeating: false, count: 256)
  private(set) var isEmpty = true

  /// Adds a literal; an empty one is left out, for it would match everywhere. The last of equal ones stays.
  mutating func insert(_ literal: [UInt8], id: TokenID) {
    precondition(literal.count <= Self.longestLiteral)
    guard let first = literal.first else { return }
    isFirstByte[Int(first)] = true
    isEmpty = false
    var node: Int32 = 0
    for byte in literal {
      let edge = edges.merge(node, Int32(byte))
      if edge.exists {
        node = edge.symbol
      } else {
        let child = Int32(truncatingIfNeeded: idOfNode.count)
        edges.set(node, Int32(byte), MergeTable.Merge(rank: 0, symbol: child))
        idOfNode.append(-1)
        node = child
      }
    }
    idOfNode[Int(node)] = id
  }

  /// The longest literal that begins at `position` and ends by `end`.
  @inline(__always)
  func match(_ text: [UInt8], at position: Int, end: Int) -> (id: TokenID, count: Int)? {
    isFirstByte[Int(text[position])] ? longest(text, at: position, end: end) : nil
  }

  private func longest(_ text: [UInt8], at position: Int, end: Int) -> (id: TokenID, count: Int)? {
    var found: (id: TokenID, count: Int)?
    var node: Int32 = 0
    var index = position
    while index < end {
      let edge = edges.merge(node, Int32(text[index]))
      if !edge.exists { break }
      node = edge.symbol
      index += 1
      let id = idOfNode[Int(node)]
      if id >= 0 { found = (id, index - position) }
    }
    return found
  }
}
