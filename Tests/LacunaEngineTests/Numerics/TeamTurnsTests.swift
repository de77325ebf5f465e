import LacunaEngine
import Testing

@Suite("Shares of a team")
struct TeamTurnsTests {
  @Test("each list is shared out once, and in the end no thread has more than one item more than another")
  func sharesEvenly() {
    for count in [1, 2, 5, 6, 8, 32, 33] {
      for threadCount in [1, 2, 3, 4, 8, 16, 64] {
        var threads = (0..<threadCount).map { TeamTurns(thread: $0, of: threadCount) }
        var loads = [Int](repeating: 0, count: threadCount)
        for list in 0..<20 {
          let shares = threads.indices.map { threads[$0].slice(count) }
          for (thread, share) in shares.enumerated() { loads[thread] += share.count }
          #expect(shares.flatMap(Array.init).sorted() == Array(0..<count), "\(count) items, \(threadCount) threads")
          #expect(loads.max()! - loads.min()! <= 1, "\(count) items, \(threadCount) threads, list \(list)")
        }
      }
    }
  }
}
