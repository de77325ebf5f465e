import LacunaEngine
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// How fast this machine's threads read memory together: what bounds decoding.
enum ReadBandwidth {
  /// Larger than any cache in reach.
  private static let byteCount = 1 << 30
  private static let passes = 4

  /// Bytes a second, the best of a few passes.
  static func measure(threadCount: Int) throws(LacunaError) -> Double {
    let memory = Block(try AlignedBuffer(byteCount: byteCount))
    let words = byteCount / MemoryLayout<SIMD8<UInt64>>.stride
    var best = 0.0
    // The first pass also makes the pages real.
    memory.fill()
    for _ in 0..<passes {
      let start = ContinuousClock.now
      let tally = Tally()
      for index in 0..<threadCount {
        let range = words * index / threadCount..<words * (index + 1) / threadCount
        startThread(stackBytes: 1 << 16) { tally.add(memory.sum(range)) }
      }
      tally.wait(for: threadCount)
      best = max(best, Double(byteCount) / seconds(since: start))
    }
    return best
  }

  private final class Block: @unchecked Sendable {
    // SAFETY: filled before the first thread reads it.
    private let memory: AlignedBuffer

    init(_ memory: consuming AlignedBuffer) { self.memory = memory }

    func fill() { memory.base.initializeMemory(as: UInt8.self, repeating: 1, count: memory.byteCount) }

    func sum(_ range: Range<Int>) -> UInt64 {
      let words = memory.base.assumingMemoryBound(to: SIMD8<UInt64>.self)
      var a = SIMD8<UInt64>(repeating: 0)
      var b = a
      var index = range.lowerBound
      while index + 1 < range.upperBound {
        a &+= words[index]
        b &+= words[index + 1]
        index += 2
      }
      return (a &+ b).wrappedSum()
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
