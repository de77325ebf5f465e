import LacunaEngine

/// One token a letter: id 0 is BOS, 1 is EOS, 2... are "a", "b", ...; "xy" is one piece, 60.
struct AlphabetTokenizer: Tokenizer {
  let vocabularySize = 203
  let bos: TokenID? = 0
  let eos: TokenID? = 1
  let fingerprint = "letters"

  func encode(_ text: String, bos: Bool, special: Bool) -> [TokenID] {
    var ids: [TokenID] = bos ? [0] : []
    var rest = Substring(text)
    while let letter = rest.first {
      if rest.hasPrefix("xy") {
        ids.append(60)
        rest = rest.dropFirst(2)
      } else {
        ids.append(TokenID(letter.asciiValue!) - 97 + 2)
        rest = rest.dropFirst()
      }
    }
    return ids
  }

  func bytes(of token: TokenID, special: Bool) -> [UInt8] {
    switch token {
    case 2..<28: [UInt8(token) - 2 + 97]
    case 60: Array("xy".utf8)
    // The four bytes of U+1F999, one a token.
    case 100..<104: [Array("\u{1F999}".utf8)[Int(token) - 100]]
    default: []
    }
  }

  func piece(_ token: TokenID) -> String { "<\(token)>" }
  func isControl(_ token: TokenID) -> Bool { token < 2 }
}
