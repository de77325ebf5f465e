/// The bytes of a vocabulary's tokens as a prefix tree.
struct TokenTrie: Sendable {
  /// In preorder. `end` is behind the last node below.
  private let bytes: [UInt8]
  private let ends: [Int32]
  /// Tokens that end at a node: the first, and after each the next with the same bytes; -1 for none.
  private let firstTokens: [Int32]
  private let nextTokens: [Int32]
  let vocabularySize: Int
  /// Bytes of the longest token.
  let reach: Int

  init(_ tokenizer: any Tokenizer, vocabularySize: Int) {
    self.vocabularySize = vocabularySize
    var tokens: [(bytes: [UInt8], id: Int32)] = []
    for id in 0..<Int32(clamping: vocabularySize) {
      let bytes = tokenizer.bytes(of: id, special: false)
      if !bytes.isEmpty, bytes.count < 1 << 15 { tokens.append((bytes, id)) }
    }
    tokens.sort { $0.bytes.lexicographicallyPrecedes($1.bytes) || ($0.bytes == $1.bytes && $0.id < $1.id) }
    var bytes: [UInt8] = []
    var ends: [Int32] = []
    var firstTokens: [Int32] = []
    var nextTokens = [Int32](repeating: -1, count: vocabularySize)
    var path: [Int] = []
    var previous: (bytes: [UInt8], id: Int32)?
    for token in tokens {
      let shared = previous.map { zip($0.bytes, token.bytes).prefix { $0 == $1 }.count } ?? 0
      if let previous, previous.bytes == token.bytes {
        nextTokens[Int(previous.id)] = token.id
      } else {
        while path.count > shared { ends[path.removeLast()] = Int32(bytes.count) }
        for depth in shared..<token.bytes.count {
          path.append(bytes.count)
          bytes.append(token.bytes[depth])
          ends.append(0)
          firstTokens.append(-1)
        }
        firstTokens[path[path.count - 1]] = token.id
      }
      previous = token
    }
    while let node = path.popLast() { ends[node] = Int32(bytes.count) }
    self.bytes = bytes
    self.ends = ends
    self.firstTokens = firstTokens
    self.nextTokens = nextTokens
    reach = tokens.map(\.bytes.count).max() ?? 0
  }

  /// Where the root's children begin; the root itself is no node.
  static let root: Int32 = -1

  var nodeCount: Int { bytes.count }
  func hasChildren(_ node: Int32) -> Bool { ends[Int(node)] > node + 1 }

  func forEachChild(of node: Int32, _ body: (Int32, UInt8) -> Void) {
    var child = node + 1
    let end = node == Self.root ? Int32(bytes.count) : ends[Int(node)]
    while child < end {
      body(child, bytes[Int(child)])
      child = ends[Int(child)]
    }
  }

  /// Tokens that end at the node.
  func forEachToken(at node: Int32, _ body: (TokenID) -> Void) {
    var token = firstTokens[Int(node)]
    while token >= 0 {
      body(token)
      token = nextTokens[Int(token)]
    }
  }
}
