import LacunaEngine
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// How fast this machine's threads read memory together: what bounds decoding.
///
/// Each thread reads as a product with weights does: a number of rows side by side, so that enough lines are on their
/// way at once. Which number serves best differs between machines; the best of a few counts.
enum ReadBandwidth {
  /// Larger than any cache in reach.
  private static let byteCount = 1 << 30
  private static let passes = 3
  private static let rowCounts = [1, 4, 8, 16]

  /// Bytes a second, the best of a few passes.
  static func measure(threadCount: Int) throws(LacunaError) -> Double {
    let memory = Block(try AlignedBuffer(byteCount: byteCount))
    let words = byteCount / MemoryLayout<SIMD8<UInt64>>.stride
    var best = 0.0
    // The first pass also makes the pages real.
    memory.fill()
    for rowCount in rowCounts {
      for _ in 0..<passes {
        let start = ContinuousClock.now
        let tally = Tally()
        for index in 1..<max(threadCount, 1) {
          startThread(stackBytes: 1 << 16) {
            tally.add(memory.sum(part(index, of: threadCount, words), rowCount: rowCount))
          }
        }
        // This thread reads too: one that only waited would take a core from the readers.
        tally.add(memory.sum(part(0, of: threadCount, words), rowCount: rowCount))
        tally.wait(for: threadCount)
        best = max(best, Double(byteCount) / seconds(since: start))
      }
    }
    return best
  }

  private static func part(_ index: Int, of count: Int, _ words: Int) -> Range<Int> {
    words * index / count..<words * (index + 1) / count
  }

  private final class Block: @unchecked Sendable {
    // SAFETY: filled before the first thread reads it.
    private let memory: AlignedBuffer

    init(_ memory: consuming AlignedBuffer) { self.memory = memory }

    func fill() { memory.base.initializeMemory(as: UInt8.self, repeating: 1, count: memory.byteCount) }

    /// Sums rows of 4 KiB, `rowCount` of them side by side.
    func sum(_ range: Range<Int>, rowCount: Int) -> UInt64 {
      let words = memory.base.assumingMemoryBound(to: SIMD8<UInt64>.self)
      let rowWords = 4096 / MemoryLayout<SIMD8<UInt64>>.stride
      var total = SIMD8<UInt64>(repeating: 0)
      for first in stride(from: range.lowerBound, to: range.upperBound, by: rowWords * rowCount) {
        let rows = min(rowCount, (range.upperBound - first) / rowWords)
        for column in 0..<rowWords {
          var index = first + column
          for _ in 0..<rows {
            total &+= words[index]
            index += rowWords
          }
        }
      }
      return total.wrappedSum()
    }
  }

  /// Counts threads that are done; their sums are kept so that no loop can be left out.
  private final class Tally: Sendable {
    private let done = Atomic<Int>(0)
    private let total = Atomic<UInt64>(0)

    func add(_ value: UInt64) {
      total.wrappingAdd(value, ordering: .relaxed)
      done.add(1, ordering: .releasing)
    }

    func wait(for count: Int) {
      while done.load(ordering: .acquiring) < count { sched_yield() }
    }
  }
}
