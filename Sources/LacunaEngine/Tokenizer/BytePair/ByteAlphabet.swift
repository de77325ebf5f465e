/// GPT-2's printable stand-ins for the 256 bytes, in which byte-level vocabularies write their tokens.
///
/// Bytes that print in Latin-1 stand for themselves; the others are U+0100 onward, in order.
enum ByteAlphabet {
  private static let isPrintable: [Bool] = (0..<256).map {
    (0x21...0x7E).contains($0) || (0xA1...0xAC).contains($0) || (0xAE...0xFF).contains($0)
  }

  private static let byteOfScalar: [UInt32: UInt8] = {
    var table: [UInt32: UInt8] = [:]
    var next: UInt32 = 0x100
    for byte in 0..<256 {
      if isPrintable[byte] {
        table[UInt32(byte)] = UInt8(byte)
      } else {
        table[next] = UInt8(byte)
        next += 1
      }
    }
    return table
  }()

  /// The bytes that the token stands for; nil if a character is not in the alphabet.
  static func bytes(of token: String) -> [UInt8]? {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(token.utf8.count)
    for scalar in token.unicodeScalars {
      guard let byte = byte(of: scalar) else { return nil }
      bytes.append(byte)
    }
    return bytes
  }

  private static func byte(of scalar: Unicode.Scalar) -> UInt8? {
    scalar.value < 0x7F && scalar.value > 0x20 ? UInt8(scalar.value) : byteOfScalar[scalar.value]
  }
}
