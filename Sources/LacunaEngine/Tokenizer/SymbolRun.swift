/// The symbols of one word, and the merging of them: the work space of an `encode`, used again for every word.
///
/// Always the pair of the lowest rank merges next, the leftmost of several. Short words look for it one by one, long
/// ones keep a heap of candidates, O(n log n); both give the same result.
package struct SymbolRun {
  package private(set) var symbols: [SymbolID] = []
  /// Where each symbol begins, in bytes from the start of the word.
  package private(set) var starts: [Int32] = []
  // The merge of each symbol with its successor, by rank (.max: none) and result.
  private var ranks: [UInt32] = []
  private var results: [SymbolID] = []
  private var previous: [Int32] = []
  private var next: [Int32] = []
  // rank << 32 | position, smallest first. An entry is stale when the pair at its position has another rank by now.
  private var heap: [UInt64] = []

  /// Whether `parts` is kept, and kept up from word to word.
  var recordsParts = false
  /// The pair that last stood to become each symbol.
  private(set) var parts: [SymbolID: (left: SymbolID, right: SymbolID)] = [:]

  private static let longestScanned = 32

  package init() {}

  package var count: Int { symbols.count }

  mutating func removeAll() {
    symbols.removeAll(keepingCapacity: true)
    starts.removeAll(keepingCapacity: true)
  }

  @inline(__always)
  package mutating func append(_ symbol: SymbolID, start: Int) {
    symbols.append(symbol)
    starts.append(Int32(truncatingIfNeeded: start))
  }

  /// Merges what can be merged; `symbols` and `starts` are then those of the result.
  package mutating func merge(by table: MergeTable) {
    if count < 2 { return }
    ranks.removeAll(keepingCapacity: true)
    results.removeAll(keepingCapacity: true)
    for position in 0..<count - 1 {
      let merge = candidate(position, position + 1, table)
      ranks.append(merge.rank)
      results.append(merge.symbol)
    }
    ranks.append(.max)
    results.append(-1)
    if count <= Self.longestScanned { mergeByScan(table) } else { mergeByHeap(table) }
  }

  @inline(__always)
  private mutating func candidate(_ left: Int, _ right: Int, _ table: MergeTable) -> MergeTable.Merge {
    let merge = table.merge(symbols[left], symbols[right])
    if recordsParts, merge.exists { parts[merge.symbol] = (symbols[left], symbols[right]) }
    return merge
  }

  private mutating func mergeByScan(_ table: MergeTable) {
    var count = symbols.count
    while true {
      var best = UInt32.max
      var position = 0
      for index in 0..<count where ranks[index] < best {
        best = ranks[index]
        position = index
      }
      if best == .max { break }
      symbols[position] = results[position]
      count -= 1
      var index = position + 1
      while index < count {
        symbols[index] = symbols[index + 1]
        starts[index] = starts[index + 1]
        ranks[index] = ranks[index + 1]
        results[index] = results[index + 1]
        index += 1
      }
      if position > 0 {
        let left = candidate(position - 1, position, table)
        ranks[position - 1] = left.rank
        results[position - 1] = left.symbol
      }
      let right = position + 1 < count ? candidate(position, position + 1, table) : .none
      ranks[position] = right.rank
      results[position] = right.symbol
    }
    symbols.removeLast(symbols.count - count)
    starts.removeLast(starts.count - count)
  }

  private mutating func mergeByHeap(_ table: MergeTable) {
    let count = symbols.count
    previous.removeAll(keepingCapacity: true)
    next.removeAll(keepingCapacity: true)
    heap.removeAll(keepingCapacity: true)
    for position in 0..<count {
      previous.append(Int32(truncatingIfNeeded: position) - 1)
      next.append(Int32(truncatingIfNeeded: position) + 1)
      if ranks[position] != .max { heap.append(Self.entry(ranks[position], position)) }
    }
    if heap.count > 1 {
      for index in stride(from: heap.count / 2 - 1, through: 0, by: -1) { siftDown(index) }
    }

    while let entry = popEntry() {
      let position = Int(truncatingIfNeeded: entry & 0xFFFF_FFFF)
      if ranks[position] != UInt32(truncatingIfNeeded: entry >> 32) { continue }
      let right = Int(next[position])
      let after = Int(next[right])
      symbols[position] = results[position]
      symbols[right] = Self.absorbed
      ranks[right] = .max
      next[position] = Int32(truncatingIfNeeded: after)
      if after < count { previous[after] = Int32(truncatingIfNeeded: position) }
      let before = Int(previous[position])
      if before >= 0 { consider(before, position, table) }
      consider(position, after < count ? after : nil, table)
    }

    var kept = 0
    for position in 0..<count where symbols[position] != Self.absorbed {
      symbols[kept] = symbols[position]
      starts[kept] = starts[position]
      kept += 1
    }
    symbols.removeLast(count - kept)
    starts.removeLast(count - kept)
  }

  // Part of a symbol to its left.
  private static let absorbed = SymbolID.min

  private mutating func consider(_ left: Int, _ right: Int?, _ table: MergeTable) {
    var merge = MergeTable.Merge.none
    if let right { merge = candidate(left, right, table) }
    ranks[left] = merge.rank
    results[left] = merge.symbol
    guard merge.exists else { return }
    heap.append(Self.entry(merge.rank, left))
    siftUp(heap.count - 1)
  }

  // MARK: The heap

  @inline(__always)
  private static func entry(_ rank: UInt32, _ position: Int) -> UInt64 {
    UInt64(rank) << 32 | UInt64(UInt32(truncatingIfNeeded: position))
  }

  private mutating func popEntry() -> UInt64? {
    guard let last = heap.popLast() else { return nil }
    guard let top = heap.first else { return last }
    heap[0] = last
    siftDown(0)
    return top
  }

  private mutating func siftUp(_ start: Int) {
    var index = start
    let entry = heap[index]
    while index > 0 {
      let parent = (index - 1) / 2
      if heap[parent] <= entry { break }
      heap[index] = heap[parent]
      index = parent
    }
    heap[index] = entry
  }

  private mutating func siftDown(_ start: Int) {
    var index = start
    let entry = heap[index]
    let count = heap.count
    while true {
      var child = 2 * index + 1
      if child >= count { break }
      if child + 1 < count, heap[child + 1] < heap[child] { child += 1 }
      if heap[child] >= entry { break }
      heap[index] = heap[child]
      index = child
    }
    heap[index] = entry
  }
}
