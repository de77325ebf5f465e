import LacunaEngine
import Synchronization
import Testing

@Suite("What a team of threads shares")
struct ThreadTeamTests {
  /// Shares lists of those counts, one after the other without a barrier.
  private final class Sharing: TeamJob {
    let counts: [Int]
    let multiple: Int
    let least: Int
    /// Called with the thread, the list and the piece.
    let work: @Sendable (Int, Int, Range<Int>) -> Void

    init(
      _ counts: [Int], multiple: Int = 1, least: Int, _ work: @escaping @Sendable (Int, Int, Range<Int>) -> Void
    ) {
      self.counts = counts
      self.multiple = multiple
      self.least = least
      self.work = work
    }

    func run(thread: Int, of threadCount: Int, team: ThreadTeam) {
      // All begin together, or the first would be through before the others have woken.
      team.barrier()
      for (list, count) in counts.enumerated() {
        team.share(count, multiple: multiple, least: least, thread: thread) { work(thread, list, $0) }
      }
    }
  }

  @Test(
    "every item of every list is done once, in pieces that are long enough and end where they may",
    arguments: [1, 2, 3, 8])
  func sharesOnce(threadCount: Int) throws {
    let team = try ThreadTeam.shared(threadCount: threadCount)
    let counts = [0, 1, 5, 16, 17, 100, 1000, 4096, 11008] + [Int](repeating: 40, count: 40)
    for (multiple, least) in [(1, 1), (1, 4), (16, 16), (16, 128)] {
      for _ in 0..<20 {
        let pieces = Mutex<[[Range<Int>]]>([[Range<Int>]](repeating: [], count: counts.count))
        team.run(
          Sharing(counts, multiple: multiple, least: least) { _, list, items in
            pieces.withLock { $0[list].append(items) }
          })
        let found = pieces.withLock { $0 }
        for (list, count) in counts.enumerated() {
          let pieces = found[list].sorted { $0.lowerBound < $1.lowerBound }
          #expect(pieces.flatMap(Array.init) == Array(0..<count), "\(count) items, \(threadCount) threads")
          #expect(pieces.allSatisfy { $0.upperBound % multiple == 0 || $0.upperBound == count })
          let shortestSlice = count / multiple / threadCount * multiple
          #expect(pieces.allSatisfy { $0.count >= min(least, shortestSlice) }, "\(count) items: \(pieces)")
        }
      }
    }
  }

  @Test("a thread that is held up in its first piece leaves the rest of its slice to the others")
  func helps() throws {
    let team = try ThreadTeam.shared(threadCount: 2)
    let held = Atomic<Int>(0)
    let done = Atomic<Int>(0)
    let isLate = Atomic<Bool>(false)
    let wait: @Sendable (() -> Bool) -> Void = { isOver in
      let deadline = ContinuousClock.now + .seconds(20)
      while !isOver() {
        guard ContinuousClock.now < deadline else { return isLate.store(true, ordering: .relaxed) }
      }
    }
    let job = Sharing([64], least: 4) { thread, _, items in
      if thread == 0, held.load(ordering: .relaxed) == 0 {
        held.store(items.count, ordering: .relaxed)
        wait { done.load(ordering: .relaxed) == 64 - items.count }
      } else {
        wait { held.load(ordering: .relaxed) > 0 }
        done.add(items.count, ordering: .relaxed)
      }
    }
    team.run(job)
    #expect(held.load(ordering: .relaxed) == 16)
    #expect(done.load(ordering: .relaxed) == 48)
    let wasLate = isLate.load(ordering: .relaxed)
    #expect(!wasLate)
  }
}
