import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Work that all threads of a team do together, each a part.
package protocol TeamJob: AnyObject {
  /// Called once on each thread. `team.barrier()` and `team.share` inside must be reached by all of them equally often.
  func run(thread: Int, of threadCount: Int, team: ThreadTeam)
}

/// A fixed set of threads that runs one job at a time: parked between jobs, spinning within one.
///
/// The calling thread is thread 0.
package final class ThreadTeam: @unchecked Sendable {
  // SAFETY: `job` is written by thread 0 before `ticket` is raised (releasing) and read after it is seen
  // (acquiring); `gate` admits one caller at a time. Each thread writes its own number in `lists`, and thread 0 all of
  // them while no job runs.
  package let threadCount: Int
  private var job: (any TeamJob)?
  private let gate = Mutex<Void>(())
  private let ticket = Atomic<Int>(0)
  private let running = Atomic<Int>(0)
  private let arrived = Atomic<Int>(0)
  private let phase = Atomic<Int>(0)
  private let parked = Atomic<Int>(0)
  private let park = ParkingLot()
  /// How many lists of the job each thread has begun to share.
  private let lists: UnsafeMutablePointer<Int>  // [threadCount, spacing]
  /// What is taken of each thread's slice: the list's number, then that of pieces.
  private let taken: UnsafeMutablePointer<Atomic<Int>>  // [threadCount, spacing]
  /// A cache line each.
  private static let spacing = 8
  private static let pieceBits = 16

  /// How often a thread looks before it yields its core (in a barrier) or parks (between jobs).
  private static let spins = 4_000

  private static let teams = Mutex<[Int: ThreadTeam]>([:])

  /// The process's team of that size. Engines share it: they take turns on the same cores.
  /// - Throws: `resource` where not all of its threads can be started; those that were stay parked.
  package static func shared(threadCount: Int) throws(LacunaError) -> ThreadTeam {
    try teams.withLock { (teams) throws(LacunaError) in
      if let team = teams[threadCount] { return team }
      let team = ThreadTeam(threadCount: threadCount)
      try team.start()
      teams[threadCount] = team
      return team
    }
  }

  private init(threadCount: Int) {
    precondition(threadCount >= 1, "a team of \(threadCount) threads")
    self.threadCount = threadCount
    let count = threadCount * Self.spacing
    lists = .allocate(capacity: count)
    lists.initialize(repeating: 0, count: count)
    taken = .allocate(capacity: count)
    for i in 0..<count { (taken + i).initialize(to: Atomic(0)) }
  }

  private func start() throws(LacunaError) {
    for index in 1..<threadCount {
      // The team lives as long as the process, so its threads may hold it.
      let status = startThread(stackBytes: 1 << 20) { self.serve(index) }
      guard status == 0 else {
        throw LacunaError(
          .resource, "cannot start thread \(index + 1) of \(threadCount): \(String(cString: strerror(status)))")
      }
    }
  }

  /// Runs `job` on every thread and returns when all have finished.
  package func run(_ job: any TeamJob) {
    gate.withLock { _ in
      guard threadCount > 1 else { return job.run(thread: 0, of: 1, team: self) }
      for thread in 0..<threadCount {
        lists[thread * Self.spacing] = 0
        taken[thread * Self.spacing].store(0, ordering: .relaxed)
      }
      self.job = job
      running.store(threadCount - 1, ordering: .relaxed)
      ticket.add(1, ordering: .sequentiallyConsistent)
      if parked.load(ordering: .sequentiallyConsistent) > 0 { park.wakeAll() }
      job.run(thread: 0, of: threadCount, team: self)
      var spins = 0
      while running.load(ordering: .acquiring) > 0 { Self.wait(&spins) }
      self.job = nil
    }
  }

  /// Waits until every thread of the team is here. What any of them wrote before is seen by all after.
  @inline(__always)
  package func barrier() {
    guard threadCount > 1 else { return }
    let current = phase.load(ordering: .relaxed)
    if arrived.add(1, ordering: .acquiringAndReleasing).newValue == threadCount {
      arrived.store(0, ordering: .relaxed)
      phase.store(current &+ 1, ordering: .releasing)
    } else {
      var spins = 0
      while phase.load(ordering: .acquiring) == current { Self.wait(&spins) }
    }
  }

  /// Calls `work` with pieces of 0..<count until all are taken, each by one thread: first those of the thread's own slice,
  /// then what is left of others'. So a thread that is held up holds the rest up for one piece, not for all that it has to
  /// do. Chance decides who does what: nothing may depend on it.
  ///
  /// It returns when all pieces are taken, of which others may still be at work on theirs: a barrier belongs between two
  /// lists if one writes what the other reads or writes. All threads share the same lists in the same order, none from
  /// within `work`.
  ///
  /// - Parameters:
  ///   - multiple: slices and pieces end at multiples of it.
  ///   - least: what a piece holds, unless a whole slice is smaller; a multiple of `multiple`.
  @inline(__always)
  package func share(_ count: Int, multiple: Int = 1, least: Int, thread: Int, _ work: (Range<Int>) -> Void) {
    assert(least > 0 && least % multiple == 0, "pieces of \(least) items, in multiples of \(multiple)")
    guard threadCount > 1 else { return work(0..<count) }
    lists[thread * Self.spacing] += 1
    let list = lists[thread * Self.spacing]
    for step in 0..<threadCount {
      let owner = (thread + step) % threadCount
      let slice = teamSlice(count, thread: owner, of: threadCount, multiple: multiple)
      var pieces = TeamPieces(slice, multiple: multiple, least: least)
      while let piece = take(list, of: owner, &pieces) { work(piece) }
    }
  }

  /// The next piece of `owner`'s slice of a list; nil if all are taken.
  @inline(__always)
  private func take(_ list: Int, of owner: Int, _ pieces: inout TeamPieces) -> Range<Int>? {
    var seen = taken[owner * Self.spacing].load(ordering: .relaxed)
    while true {
      let seenList = seen >> Self.pieceBits
      // Nobody goes on to another list before all of this one is taken.
      guard seenList <= list else { return nil }
      let index = seenList == list ? seen & (1 << Self.pieceBits - 1) : 0
      guard let piece = pieces.piece(index) else { return nil }
      let attempt = taken[owner * Self.spacing].compareExchange(
        expected: seen, desired: list << Self.pieceBits + index + 1, ordering: .relaxed)
      if attempt.exchanged { return piece }
      seen = attempt.original
    }
  }

  @inline(__always)
  private static func wait(_ spins: inout Int) {
    spins &+= 1
    if spins < Self.spins { spinPause() } else { sched_yield() }
  }

  private func serve(_ index: Int) {
    var seen = 0
    while true {
      var spins = 0
      while ticket.load(ordering: .acquiring) == seen {
        spins &+= 1
        if spins < Self.spins {
          spinPause()
        } else {
          parked.add(1, ordering: .sequentiallyConsistent)
          park.wait { self.ticket.load(ordering: .sequentiallyConsistent) == seen }
          parked.subtract(1, ordering: .sequentiallyConsistent)
        }
      }
      seen &+= 1
      job?.run(thread: index, of: threadCount, team: self)
      running.subtract(1, ordering: .releasing)
    }
  }

  /// One thread for each physical core that this process may use.
  static let physicalCoreCount: Int = {
    #if os(Linux)
      if let count = linuxCoreCount() { return count }
    #endif
    return max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
  }()

  #if os(Linux)
    private static func linuxCoreCount() -> Int? {
      let key = "Cpus_allowed_list:"
      guard let allowed = lines(of: "/proc/self/status").first(where: { $0.hasPrefix(key) }) else { return nil }
      let cores = Set(
        cpus(in: allowed.dropFirst(key.count)).map { cpu in
          lines(of: "/sys/devices/system/cpu/cpu\(cpu)/topology/thread_siblings_list").first ?? "\(cpu)"
        })
      return cores.isEmpty ? nil : cores.count
    }

    /// "0-3,8" as 0, 1, 2, 3, 8.
    private static func cpus(in list: Substring) -> [Int] {
      list.split { $0 == "," || $0.isWhitespace }.flatMap { range -> [Int] in
        let ends = range.split(separator: "-").compactMap { Int($0) }
        guard let first = ends.first, let last = ends.last, first <= last else { return [] }
        return Array(first...last)
      }
    }

    private static func lines(of path: String) -> [String] {
      guard let file = fopen(path, "re") else { return [] }
      defer { fclose(file) }
      var result: [String] = []
      var line = [CChar](repeating: 0, count: 4096)
      while fgets(&line, Int32(line.count), file) != nil {
        result.append(
          String(decoding: line.prefix { $0 != 0 && $0 != 10 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
      }
      return result
    }
  #endif
}

/// Where threads sleep until they are woken.
private final class ParkingLot: @unchecked Sendable {
  // SAFETY: a mutex and a condition at stable addresses, used through pthreads only.
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

  init() {
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(condition, nil)
  }

  deinit {
    pthread_cond_destroy(condition)
    pthread_mutex_destroy(mutex)
    condition.deallocate()
    mutex.deallocate()
  }

  func wait(while closed: () -> Bool) {
    pthread_mutex_lock(mutex)
    while closed() { pthread_cond_wait(condition, mutex) }
    pthread_mutex_unlock(mutex)
  }

  func wakeAll() {
    pthread_mutex_lock(mutex)
    pthread_cond_broadcast(condition)
    pthread_mutex_unlock(mutex)
  }
}

/// Starts a detached thread with a stack of its own size.
/// - Returns: 0, or the error number of `pthread_create`.
package func startThread(stackBytes: Int, _ body: @escaping @Sendable () -> Void) -> Int32 {
  final class Box {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }
  var attributes = pthread_attr_t()
  pthread_attr_init(&attributes)
  pthread_attr_setstacksize(&attributes, stackBytes)
  pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
  #if canImport(Darwin)
    var thread: pthread_t?
  #else
    var thread = pthread_t()
  #endif
  let box = Unmanaged.passRetained(Box(body))
  let status = pthread_create(
    &thread, &attributes,
    { context in
      #if canImport(Darwin)
        Unmanaged<Box>.fromOpaque(context).takeRetainedValue().body()
      #else
        Unmanaged<Box>.fromOpaque(context!).takeRetainedValue().body()
      #endif
      return nil
    }, box.toOpaque())
  pthread_attr_destroy(&attributes)
  if status != 0 { box.release() }
  return status
}

/// The part of `count` that is thread `thread`'s of `threadCount`, cut at multiples of `multiple`.
@inline(__always)
func teamSlice(_ count: Int, thread: Int, of threadCount: Int, multiple: Int = 1) -> Range<Int> {
  let units = (count + multiple - 1) / multiple
  let lower = units * thread / threadCount * multiple
  let upper = units * (thread + 1) / threadCount * multiple
  return min(lower, count)..<min(upper, count)
}

/// The pieces of a slice, each half of what those before it have left, but for the last.
private struct TeamPieces {
  private var index = 0
  private var left: Range<Int>
  private let multiple: Int
  private let least: Int

  init(_ slice: Range<Int>, multiple: Int, least: Int) {
    left = slice
    self.multiple = multiple
    self.least = least
  }

  /// The piece of that number, no lower than the one asked for before; nil behind the last.
  @inline(__always)
  mutating func piece(_ wanted: Int) -> Range<Int>? {
    while !left.isEmpty {
      let isLast = left.count < 2 * least
      let end = isLast ? left.upperBound : left.lowerBound + left.count / 2 / multiple * multiple
      if index == wanted { return left.lowerBound..<end }
      index += 1
      left = end..<left.upperBound
    }
    return nil
  }
}
