/// A symbol of a text under tokenization: a token id, or a number past the vocabulary for a character that is part
/// of pieces without being one. Negative: a character that no piece contains.
package typealias SymbolID = Int32

/// Which neighbouring symbols merge, into what, and with what rank: the lowest goes first.
///
/// An open hash table whose seed differs from process to process, so that no file can be written to make it slow.
package struct MergeTable: Sendable {
  package struct Merge {
    package var rank: UInt32
    package var symbol: SymbolID

    package init(rank: UInt32, symbol: SymbolID) {
      self.rank = rank
      self.symbol = symbol
    }

    /// What a pair that does not merge has.
    static let none = Merge(rank: .max, symbol: -1)
    package var exists: Bool { rank != .max }
  }

  private struct Slot {
    var key: UInt64
    var merge: Merge
  }

  private var slots: [Slot]
  private var mask: Int
  private let seed = UInt64.random(in: .min ... .max)
  package private(set) var count = 0

  // No pair has it: symbols of a pair are not negative.
  private static let empty = UInt64.max

  package init(minimumCapacity: Int = 16) {
    var size = 16
    while size < minimumCapacity * 2 { size *= 2 }
    slots = Array(repeating: Slot(key: Self.empty, merge: .none), count: size)
    mask = size - 1
  }

  @inline(__always)
  package func merge(_ left: SymbolID, _ right: SymbolID) -> Merge {
    if left < 0 || right < 0 { return .none }
    let key = Self.key(left, right)
    var index = slot(for: key)
    while true {
      let slot = slots[index]
      if slot.key == key { return slot.merge }
      if slot.key == Self.empty { return .none }
      index = (index + 1) & mask
    }
  }

  /// Adds or replaces. Neither symbol is negative, and the rank is below `UInt32.max`.
  package mutating func set(_ left: SymbolID, _ right: SymbolID, _ merge: Merge) {
    if (count + 1) * 2 > slots.count { grow() }
    if insert(Self.key(left, right), merge) { count += 1 }
  }

  private mutating func insert(_ key: UInt64, _ merge: Merge) -> Bool {
    var index = slot(for: key)
    while slots[index].key != Self.empty && slots[index].key != key { index = (index + 1) & mask }
    let isNew = slots[index].key == Self.empty
    slots[index] = Slot(key: key, merge: merge)
    return isNew
  }

  private mutating func grow() {
    let old = slots
    slots = Array(repeating: Slot(key: Self.empty, merge: .none), count: old.count * 2)
    mask = slots.count - 1
    for slot in old where slot.key != Self.empty { _ = insert(slot.key, slot.merge) }
  }

  @inline(__always)
  private static func key(_ left: SymbolID, _ right: SymbolID) -> UInt64 {
    UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
  }

  // The finalizer of MurmurHash3 over the seeded key.
  @inline(__always)
  private func slot(for key: UInt64) -> Int {
    var hash = key ^ seed
    hash = (hash ^ hash >> 33) &* 0xFF51_AFD7_ED55_8CCD
    hash = (hash ^ hash >> 33) &* 0xC4CE_B9FE_1A85_EC53
    return Int(truncatingIfNeeded: hash ^ hash >> 33) & mask
  }
}
