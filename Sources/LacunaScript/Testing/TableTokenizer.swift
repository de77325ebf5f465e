internal import LacunaEngine

/// A vocabulary written out in a test: "<s>", "</s>" and "<unk>", then the test's pieces, matched longest first.
struct TableTokenizer: Tokenizer {
  static let control = ["<s>", "</s>", "<unk>"]

  let pieces: [String]
  let bos: TokenID? = 0
  let eos: TokenID? = 1
  let fingerprint: String
  /// Ids of the test's pieces by their bytes, the longest first.
  private let byLength: [(bytes: [UInt8], id: TokenID)]

  /// - Parameter pieces: not empty, each once.
  init(_ pieces: [String]) {
    self.pieces = Self.control + pieces
    fingerprint = "table:" + pieces.joined(separator: "\u{0}")
    byLength = pieces.enumerated().map { (Array($0.element.utf8), TokenID($0.offset + Self.control.count)) }
      .sorted { $0.bytes.count > $1.bytes.count }
  }

  var vocabularySize: Int { pieces.count }

  func encode(_ text: String, bos: Bool, special: Bool) -> [TokenID] {
    var ids: [TokenID] = bos ? [0] : []
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      if special, let id = (0...1).first(where: { rest.starts(with: pieces[$0].utf8) }) {
        ids.append(TokenID(id))
        rest = rest.dropFirst(pieces[id].utf8.count)
      } else if let match = byLength.first(where: { rest.starts(with: $0.bytes) }) {
        ids.append(match.id)
        rest = rest.dropFirst(match.bytes.count)
      } else {
        ids.append(2)
        rest = rest.dropFirst()
      }
    }
    return ids
  }

  func bytes(of token: TokenID, special: Bool) -> [UInt8] {
    guard pieces.indices.contains(Int(token)), special || !isControl(token) else { return [] }
    return Array(pieces[Int(token)].utf8)
  }

  func piece(_ token: TokenID) -> String { pieces.indices.contains(Int(token)) ? pieces[Int(token)] : "" }
  func isControl(_ token: TokenID) -> Bool { token < Self.control.count }
}
