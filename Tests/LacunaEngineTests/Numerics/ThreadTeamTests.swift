import LacunaEngine
import Synchronization
import Testing

@Suite("What a team of threads shares")
struct ThreadTeamTests {
  /// Shares lists of those counts, one after the other without a barrier, and counts how often each item was done and by whom.
  private final class Sharing: TeamJob {
    let counts: [Int]
    let multiple: Int
    let least: Int
    /// Called with the thread, the list and the piece.
    let work: @Sendable (Int, Int, Range<Int>) -> Void
    let pieces = Mutex<[(thread: Int, list: Int, items: Range<Int>)]>([])

    init(
      _ counts: [Int], multiple: Int = 1, least: Int,
      _ work: @escaping @Sendable (Int, Int, Range<Int>) -> Void = { _, _, _ in }
    ) {
      self.counts = counts
      self.multiple = multiple
      self.least = least
      self.work = work
    }

    func run(thread: Int, of threadCount: Int, team: ThreadTeam) {
      for (list, count) in counts.enumerated() {
        team.share(count, multiple: multiple, least: least, thread: thread) { items in
          work(thread, list, items)
          pieces.withLock { $0.append((thread, list, items)) }
        }
      }
    }

    func pieces(of list: Int) -> [Range<Int>] {
      pieces.withLock { $0.filter { $0.list == list }.map(\.items) }
    }
  }

  @Test("every item of every list is done once, in pieces that end where they may", arguments: [1, 2, 3, 8])
  func sharesOnce(threadCount: Int) throws {
    let team = try ThreadTeam.shared(threadCount: threadCount)
    let counts = [0, 1, 5, 16, 17, 100, 1000, 4096, 11008]
    for (multiple, least) in [(1, 1), (1, 4), (16, 16), (16, 128)] {
      for _ in 0..<20 {
        let job = Sharing(counts, multiple: multiple, least: least)
        team.run(job)
        for (list, count) in counts.enumerated() {
          let pieces = job.pieces(of: list).sorted { $0.lowerBound < $1.lowerBound }
          #expect(pieces.flatMap(Array.init) == Array(0..<count), "\(count) items, \(threadCount) threads")
          #expect(pieces.allSatisfy { $0.upperBound % multiple == 0 || $0.upperBound == count })
        }
      }
    }
  }

  @Test("a thread that is held up in its first piece leaves the rest of its slice to the others")
  func helps() throws {
    let team = try ThreadTeam.shared(threadCount: 2)
    let held = Atomic<Int>(0)
    let done = Atomic<Int>(0)
    let deadline = ContinuousClock.now + .seconds(20)
    let wait: @Sendable (() -> Bool) -> Void = { isOver in while !isOver(), ContinuousClock.now < deadline {} }
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
    #expect(ContinuousClock.now < deadline)
  }
}
