/// Which items of a probe are measured: some from the front of each task, and every Nth of those.
public struct ItemSelection: Sendable, Equatable {
  /// From the front of each task; nil for all.
  public var limit: Int?
  /// Part `index` of `count`, from 1: items are dealt in turn.
  public var shard: (index: Int, count: Int)

  public init(limit: Int? = nil, shard: (index: Int, count: Int) = (index: 1, count: 1)) {
    self.limit = limit
    self.shard = shard
  }

  public static func == (a: ItemSelection, b: ItemSelection) -> Bool { a.limit == b.limit && a.shard == b.shard }

  /// The rows of a task of `count` items.
  public func rows(of count: Int) -> [Int] {
    (0..<wholeCount(of: count)).filter { $0 % shard.count == shard.index - 1 }
  }

  /// The rows that all parts take together.
  func wholeCount(of count: Int) -> Int { min(count, limit ?? count) }
}
