/// The tokens of words that one `encode` has met before.
///
/// A slot refers to the text and to the ids already produced, so nothing is copied or allocated per word. A word
/// that falls on a taken slot replaces it: no text can make a look-up longer than one comparison.
struct WordCache {
  private struct Slot {
    var hash: UInt64 = 0
    var textStart = 0
    var textCount = 0
    var idStart = 0
    var idCount = 0
  }

  private var slots: [Slot]
  private let mask: Int

  static let longestWord = 64

  /// - Parameter textCount: the text's length in bytes; short texts get a small table.
  init(textCount: Int) {
    var size = 64
    while size < textCount / 8, size < 1 << 15 { size *= 2 }
    slots = Array(repeating: Slot(), count: size)
    mask = size - 1
  }

  @inline(__always)
  static func hash(_ text: [UInt8], _ word: Range<Int>) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325  // FNV-1a
    for index in word { hash = (hash ^ UInt64(text[index])) &* 0x100_0000_01B3 }
    return hash ^ hash >> 29
  }

  /// Where in the ids produced so far the tokens of an equal word lie.
  @inline(__always)
  func ids(of word: Range<Int>, hash: UInt64, in text: [UInt8]) -> Range<Int>? {
    let slot = slots[Int(truncatingIfNeeded: hash) & mask]
    guard slot.hash == hash, slot.textCount == word.count else { return nil }
    var other = slot.textStart
    for index in word {
      if text[index] != text[other] { return nil }
      other += 1
    }
    return slot.idStart..<slot.idStart + slot.idCount
  }

  mutating func removeAll() {
    for index in slots.indices { slots[index] = Slot() }
  }

  mutating func store(_ word: Range<Int>, hash: UInt64, ids: Range<Int>) {
    slots[Int(truncatingIfNeeded: hash) & mask] = Slot(
      hash: hash, textStart: word.lowerBound, textCount: word.count, idStart: ids.lowerBound, idCount: ids.count)
  }
}
