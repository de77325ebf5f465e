import Synchronization

/// How much memory pools of pages may keep together while nobody uses it.
package final class UnusedMemoryLimit: Sendable {
  /// A 32nd of the machine's memory, for all engines of this process.
  static let ofProcess = UnusedMemoryLimit(bytes: KVBudget.ofMachine.bytes / 16)

  private let bytes: Int
  private let kept = Atomic<Int>(0)

  package init(bytes: Int) { self.bytes = bytes }

  /// Whether there was room for so many more, which are counted then.
  fileprivate func keep(_ count: Int) -> Bool {
    if kept.add(count, ordering: .relaxed).newValue <= bytes { return true }
    release(count)
    return false
  }

  fileprivate func release(_ count: Int) { kept.subtract(count, ordering: .relaxed) }
}

/// Where an engine's pages come from and go to. Memory that pages leave serves the next ones: a system takes long to find
/// fresh memory, above all in a virtual machine whose host takes back what lies unused.
package final class KVPagePool: Sendable {
  let pageBytes: Int
  private let limit: UnusedMemoryLimit
  private let unused = Mutex<[SharedBuffer]>([])

  package init(pageBytes: Int, limit: UnusedMemoryLimit = .ofProcess) {
    self.pageBytes = pageBytes
    self.limit = limit
  }

  deinit { limit.release(unusedCount * pageBytes) }

  package var unusedCount: Int { unused.withLock(\.count) }

  /// Memory of a page that is gone, with what it held.
  fileprivate func takeUnused() -> SharedBuffer? {
    guard let memory = unused.withLock({ $0.popLast() }) else { return nil }
    limit.release(pageBytes)
    return memory
  }

  fileprivate func giveBack(_ memory: SharedBuffer) {
    if limit.keep(pageBytes) { unused.withLock { $0.append(memory) } }
  }
}

/// Keys and values of `KVLayout.pagePositions` positions in every layer of a model.
private final class KVPage {
  private let pool: KVPagePool
  private let memory: SharedBuffer

  /// - Parameter contents: `pageBytes` that it holds at first; zeros without them.
  init(_ pool: KVPagePool, contents: UnsafeRawPointer? = nil) throws(LacunaError) {
    self.pool = pool
    let used = pool.takeUnused()
    memory = if let used { used } else { SharedBuffer(try AlignedBuffer(byteCount: pool.pageBytes)) }
    if let contents {
      base.copyMemory(from: contents, byteCount: pool.pageBytes)
    } else if used != nil {
      base.initializeMemory(as: UInt8.self, repeating: 0, count: pool.pageBytes)
    }
    KVBudget.count(memory.storage.byteCount)
  }

  deinit {
    KVBudget.count(-memory.storage.byteCount)
    pool.giveBack(memory)
  }

  var base: UnsafeMutableRawPointer { memory.storage.base }
}

/// The pages of one sequence. A fork shares them; a page is copied when one of its sharers writes to it.
package final class KVPages {
  private let pool: KVPagePool
  private let pageCapacity: Int
  private var pages: [KVPage] = []
  /// [pageCapacity]: the pages' addresses, as the kernels read them. Stable while the object lives.
  private let table: UnsafeMutablePointer<UnsafeRawPointer?>

  package init(pool: KVPagePool, positionCapacity: Int) {
    self.pool = pool
    pageCapacity = (positionCapacity + KVLayout.pagePositions - 1) / KVLayout.pagePositions
    table = .allocate(capacity: pageCapacity)
    table.initialize(repeating: nil, count: pageCapacity)
  }

  deinit { table.deallocate() }

  var addresses: UnsafePointer<UnsafeRawPointer?> { UnsafePointer(table) }
  var count: Int { pages.count }
  var pageBytes: Int { pool.pageBytes }
  var identities: [ObjectIdentifier] { pages.map { ObjectIdentifier($0) } }

  /// The same pages under a table of its own.
  package func fork() -> KVPages {
    let copy = KVPages(pool: pool, positionCapacity: pageCapacity * KVLayout.pagePositions)
    copy.pages = pages
    copy.table.update(from: table, count: pages.count)
    return copy
  }

  /// Makes the pages of `positions` exist and belong to this sequence alone; what lies before is kept.
  package func prepareToWrite(positions: Range<Int>) throws(LacunaError) {
    guard !positions.isEmpty else { return }
    let first = positions.lowerBound / KVLayout.pagePositions
    let last = (positions.upperBound - 1) / KVLayout.pagePositions
    precondition(last < pageCapacity, "position \(positions.upperBound - 1) beyond \(pageCapacity) pages")
    while pages.count <= last { append(try KVPage(pool)) }
    for index in first...last where !isKnownUniquelyReferenced(&pages[index]) {
      let holdsNothingToKeep = index * KVLayout.pagePositions >= positions.lowerBound
      pages[index] = try KVPage(pool, contents: holdsNothingToKeep ? nil : table[index])
      table[index] = UnsafeRawPointer(pages[index].base)
    }
  }

  /// Adds a page that holds `contents`, `pageBytes` long, as restoring does.
  package func append(_ contents: UnsafeRawBufferPointer) throws(LacunaError) {
    precondition(contents.count == pageBytes, "\(contents.count) bytes for a page of \(pageBytes)")
    append(try KVPage(pool, contents: contents.baseAddress))
  }

  private func append(_ page: KVPage) {
    table[pages.count] = UnsafeRawPointer(page.base)
    pages.append(page)
  }

  package func bytes(ofPage index: Int) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: pages[index].base, count: pageBytes)
  }
}
