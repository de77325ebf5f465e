/// Text from tokens as they come: every piece that it hands out is well-formed UTF-8.
///
/// The beginning of a character waits for the rest of it; what turns out ill-formed becomes U+FFFD. However the
/// tokens are fed, the texts joined are the `decode` of all of them.
public struct StreamDecoder: Sendable {
  private let tokenizer: any Tokenizer
  private let special: Bool
  private let rules: TextRules
  private var atStart: Bool
  // At most the first three bytes of a character.
  private var pending: [UInt8] = []

  /// - Parameters:
  ///   - afterPrompt: the tokens go on from a text: a leading space is theirs and stays.
  ///   - special: control tokens appear by name.
  public init(tokenizer: any Tokenizer, afterPrompt: Bool = false, special: Bool = false) {
    self.tokenizer = tokenizer
    self.special = special
    rules = tokenizer.textRules
    atStart = !afterPrompt && rules.stripsLeadingSpace
  }

  /// The text that the token completes; empty for control tokens and while a character is incomplete.
  public mutating func append(_ token: TokenID) -> String {
    var bytes = tokenizer.bytes(of: token, special: special)
    if bytes.isEmpty { return "" }
    if atStart {
      atStart = false
      if bytes[0] == UInt8(ascii: " ") { bytes.removeFirst() }
    }
    if pending.isEmpty, bytes.allSatisfy({ $0 < 0x80 }) { return String(decoding: bytes, as: UTF8.self) }
    pending.append(contentsOf: bytes)
    return drain(atEnd: false)
  }

  /// What is left of an incomplete character, repaired. The decoder can go on afterwards.
  public mutating func flush() -> String { drain(atEnd: true) }

  private mutating func drain(atEnd: Bool) -> String {
    var text: [UInt8] = []
    text.reserveCapacity(pending.count)
    var position = 0
    scan: while position < pending.count {
      let rest = pending[position...]
      switch UTF8Prefix(rest) {
      case .character(let count):
        text.append(contentsOf: rest.prefix(count))
        position += count
      case .incomplete(let count):
        if !atEnd { break scan }
        appendReplacement(for: count, to: &text)
        position += count
      case .illFormed(let count):
        appendReplacement(for: count, to: &text)
        position += count
      }
    }
    pending.removeFirst(position)
    return String(decoding: text, as: UTF8.self)
  }

  private func appendReplacement(for count: Int, to text: inout [UInt8]) {
    for _ in 0..<(rules.repairsEachByte ? count : 1) { text.append(contentsOf: [0xEF, 0xBF, 0xBD]) }
  }
}

/// What bytes begin with, by table 3-7 of the Unicode standard; the counts are in bytes.
package enum UTF8Prefix: Equatable {
  case character(Int)
  /// All of the bytes, and more of them could complete a character.
  case incomplete(Int)
  /// The maximal subpart of an ill-formed sequence.
  case illFormed(Int)

  /// - Parameter bytes: not empty.
  package init(_ bytes: ArraySlice<UInt8>) {
    let first = bytes[bytes.startIndex]
    let length: Int
    var second: ClosedRange<UInt8> = 0x80...0xBF
    switch first {
    case 0x00...0x7F: length = 1
    case 0xC2...0xDF: length = 2
    case 0xE0: (length, second) = (3, 0xA0...0xBF)
    case 0xED: (length, second) = (3, 0x80...0x9F)
    case 0xE1...0xEF: length = 3
    case 0xF0: (length, second) = (4, 0x90...0xBF)
    case 0xF4: (length, second) = (4, 0x80...0x8F)
    case 0xF1...0xF3: length = 4
    default:
      self = .illFormed(1)
      return
    }
    for index in 1..<max(length, 1) {
      guard index < bytes.count else {
        self = .incomplete(index)
        return
      }
      let allowed = index == 1 ? second : 0x80...0xBF
      guard allowed.contains(bytes[bytes.startIndex + index]) else {
        self = .illFormed(index)
        return
      }
    }
    self = .character(length)
  }
}
