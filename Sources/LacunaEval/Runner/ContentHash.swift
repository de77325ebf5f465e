import Crypto

/// SHA-256 over texts, in hex. Each goes in with its length: no two lists of texts run into one.
struct ContentHash {
  private var hash = SHA256()

  mutating func add(_ text: String) {
    let bytes = Array(text.utf8)
    withUnsafeBytes(of: UInt64(bytes.count).littleEndian) { hash.update(bufferPointer: $0) }
    bytes.withUnsafeBytes { hash.update(bufferPointer: $0) }
  }

  /// The digest of everything so far.
  var hex: String {
    let digits = Array("0123456789abcdef")
    return hash.finalize().reduce(into: "") { text, byte in
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
  }

  static func of(_ texts: [String]) -> String {
    var hash = ContentHash()
    for text in texts { hash.add(text) }
    return hash.hex
  }
}
