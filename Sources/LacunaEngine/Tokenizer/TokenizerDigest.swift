import Crypto

/// SHA-256 over everything that decides which ids a text gets.
struct TokenizerDigest {
  private var bytes: [UInt8] = []

  init(kind: String) { add(Array(kind.utf8)) }

  mutating func add(_ text: [UInt8]) {
    add(UInt32(truncatingIfNeeded: text.count))
    bytes.append(contentsOf: text)
  }

  mutating func add(_ value: some FixedWidthInteger) {
    withUnsafeBytes(of: UInt32(truncatingIfNeeded: value).littleEndian) { bytes.append(contentsOf: $0) }
  }

  mutating func add(_ tokens: [AddedToken], bos: TokenID?) {
    for token in tokens {
      add(token.id)
      add(Array(token.content.utf8))
      for flag in [token.special, token.stripsLeft, token.stripsRight, token.singleWord] { add(flag ? 1 : 0 as UInt32) }
    }
    add(bos ?? -1)
  }

  /// In hexadecimal.
  func finish() -> String { SHA256.hash(data: bytes).hexadecimal }
}
