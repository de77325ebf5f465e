/// From a piece's bytes to its symbol. Pieces are compared byte by byte: Unicode's canonical equivalence, which
/// `String` compares by, would take distinct pieces for one.
package struct PieceIndex: Sendable {
  private struct Slot {
    var hash: UInt64
    var start: Int
    var count: Int32
    var symbol: SymbolID
  }

  private var slots: [Slot]
  private var mask: Int
  private var storage: [UInt8] = []
  private(set) var count = 0
  // Odd, and unknown to whoever writes a file.
  private let multiplier = UInt64.random(in: .min ... .max) | 1

  package init(minimumCapacity: Int) {
    var size = 64
    while size < minimumCapacity * 2 { size *= 2 }
    slots = Array(repeating: Slot(hash: 0, start: 0, count: -1, symbol: -1), count: size)
    mask = size - 1
  }

  /// Adds the piece; returns the symbol that already had these bytes, and changes nothing then.
  package mutating func insert(_ piece: [UInt8], _ symbol: SymbolID) -> SymbolID? {
    if (count + 1) * 2 > slots.count { grow() }
    let hash = hash(piece[...])
    if let other = find(piece[...], hash: hash) { return other }
    var index = home(hash)
    while slots[index].count >= 0 { index = (index + 1) & mask }
    slots[index] = Slot(hash: hash, start: storage.count, count: Int32(truncatingIfNeeded: piece.count), symbol: symbol)
    storage.append(contentsOf: piece)
    count += 1
    return nil
  }

  subscript(_ piece: ArraySlice<UInt8>) -> SymbolID? { find(piece, hash: hash(piece)) }

  package subscript(_ piece: [UInt8]) -> SymbolID? { self[piece[...]] }

  /// Calls `body` for every split of the piece between two characters whose halves are both in the index.
  ///
  /// O(length): the hash is a polynomial, so that a suffix's follows from those of two prefixes.
  func forEachSplit(of piece: [UInt8], _ body: (_ left: SymbolID, _ right: SymbolID) -> Void) {
    var prefix: [UInt64] = [0]
    var power: [UInt64] = [1]
    for byte in piece {
      prefix.append(step(prefix[prefix.count - 1], byte))
      power.append(power[power.count - 1] &* multiplier)
    }
    for position in 1..<max(piece.count, 1) where piece[position] & 0xC0 != 0x80 {
      guard let left = find(piece[..<position], hash: prefix[position]) else { continue }
      let suffix = prefix[piece.count] &- prefix[position] &* power[piece.count - position]
      if let right = find(piece[position...], hash: suffix) { body(left, right) }
    }
  }

  private func find(_ piece: ArraySlice<UInt8>, hash: UInt64) -> SymbolID? {
    var index = home(hash)
    while slots[index].count >= 0 {
      let slot = slots[index]
      if slot.hash == hash, Int(slot.count) == piece.count,
        storage[slot.start..<slot.start + piece.count].elementsEqual(piece)
      {
        return slot.symbol
      }
      index = (index + 1) & mask
    }
    return nil
  }

  private mutating func grow() {
    let old = slots
    slots = Array(repeating: Slot(hash: 0, start: 0, count: -1, symbol: -1), count: old.count * 2)
    mask = slots.count - 1
    for slot in old where slot.count >= 0 {
      var index = home(slot.hash)
      while slots[index].count >= 0 { index = (index + 1) & mask }
      slots[index] = slot
    }
  }

  private func hash(_ piece: ArraySlice<UInt8>) -> UInt64 { piece.reduce(0, step) }

  // One more than the byte, so that leading zero bytes count.
  @inline(__always)
  private func step(_ hash: UInt64, _ byte: UInt8) -> UInt64 { hash &* multiplier &+ UInt64(byte) &+ 1 }

  @inline(__always)
  private func home(_ hash: UInt64) -> Int {
    let mixed = (hash ^ hash >> 31) &* 0x9E37_79B9_7F4A_7C15
    return Int(truncatingIfNeeded: mixed >> 20) & mask
  }
}
