/// A key as a terminal sends it.
enum Key: Equatable {
  case character(Character)
  case enter, tab, backspace, delete
  case left, right, up, down, home, end, wordLeft, wordRight
  /// Ctrl with a small letter.
  case control(Character)
  case endOfInput
  /// A sequence that means nothing here.
  case unknown
}

/// Makes keys of a terminal's bytes: UTF-8, control characters, and the escape sequences of xterm and its kin.
struct KeyReader {
  /// The next byte; nil at the end of the input.
  private let byte: () -> UInt8?

  init(_ byte: @escaping () -> UInt8?) { self.byte = byte }

  func next() -> Key {
    guard let first = byte() else { return .endOfInput }
    switch first {
    case 0x0D, 0x0A: return .enter
    case 0x09: return .tab
    case 0x08, 0x7F: return .backspace
    case 0x1B: return escape()
    case 0x00: return .control("@")
    case 0x01...0x1A: return .control(Character(UnicodeScalar(first + 0x60)))
    case 0x00...0x1F: return .unknown
    default: return character(first)
    }
  }

  private func character(_ first: UInt8) -> Key {
    let length =
      switch first {
      case 0x00...0x7F: 1
      case 0xC2...0xDF: 2
      case 0xE0...0xEF: 3
      case 0xF0...0xF4: 4
      default: 0
      }
    guard length > 0 else { return .unknown }
    var bytes = [first]
    while bytes.count < length, let next = byte() { bytes.append(next) }
    return String(validating: bytes, as: UTF8.self)?.first.map { .character($0) } ?? .unknown
  }

  private func escape() -> Key {
    switch byte() {
    case UInt8(ascii: "b"): return .wordLeft
    case UInt8(ascii: "f"): return .wordRight
    case UInt8(ascii: "["), UInt8(ascii: "O"): break
    default: return .unknown
    }
    var parameters = ""
    while let next = byte() {
      guard (0x40...0x7E).contains(next) else {
        parameters.append(Character(UnicodeScalar(next)))
        continue
      }
      return Self.sequence(Character(UnicodeScalar(next)), parameters)
    }
    return .endOfInput
  }

  private static func sequence(_ final: Character, _ parameters: String) -> Key {
    // With Ctrl or Alt: "1;5C", "1;3C".
    let isByWord = parameters.hasSuffix(";5") || parameters.hasSuffix(";3")
    switch (final, parameters) {
    case ("A", _): return .up
    case ("B", _): return .down
    case ("C", _): return isByWord ? .wordRight : .right
    case ("D", _): return isByWord ? .wordLeft : .left
    case ("H", _), ("~", "1"), ("~", "7"): return .home
    case ("F", _), ("~", "4"), ("~", "8"): return .end
    case ("~", "3"): return .delete
    default: return .unknown
    }
  }
}
