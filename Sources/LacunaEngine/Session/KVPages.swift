/// Keys and values of `KVLayout.pagePositions` positions in every layer of a model.
private final class KVPage {
  let memory: AlignedBuffer

  init(byteCount: Int) throws(LacunaError) {
    memory = try AlignedBuffer(byteCount: byteCount)
    KVBudget.count(memory.byteCount)
  }

  deinit { KVBudget.count(-memory.byteCount) }

  func clone() throws(LacunaError) -> KVPage {
    let copy = try KVPage(byteCount: memory.byteCount)
    copy.memory.base.copyMemory(from: memory.base, byteCount: memory.byteCount)
    return copy
  }
}

/// The pages of one sequence. A fork shares them; a page is copied when one of its sharers writes to it.
final class KVPages {
  let pageBytes: Int
  private let pageCapacity: Int
  private var pages: [KVPage] = []
  /// [pageCapacity]: the pages' addresses, as the kernels read them. Stable while the object lives.
  private let table: UnsafeMutablePointer<UnsafeRawPointer?>

  init(pageBytes: Int, positionCapacity: Int) {
    self.pageBytes = pageBytes
    pageCapacity = (positionCapacity + KVLayout.pagePositions - 1) / KVLayout.pagePositions
    table = .allocate(capacity: pageCapacity)
    table.initialize(repeating: nil, count: pageCapacity)
  }

  deinit { table.deallocate() }

  var addresses: UnsafePointer<UnsafeRawPointer?> { UnsafePointer(table) }
  var count: Int { pages.count }
  var identities: [ObjectIdentifier] { pages.map { ObjectIdentifier($0) } }

  /// The same pages under a table of its own.
  func fork() -> KVPages {
    let copy = KVPages(pageBytes: pageBytes, positionCapacity: pageCapacity * KVLayout.pagePositions)
    copy.pages = pages
    copy.table.update(from: table, count: pages.count)
    return copy
  }

  /// Makes the pages of `positions` exist and belong to this sequence alone; what lies before is kept.
  func prepareToWrite(positions: Range<Int>) throws(LacunaError) {
    guard !positions.isEmpty else { return }
    let first = positions.lowerBound / KVLayout.pagePositions
    let last = (positions.upperBound - 1) / KVLayout.pagePositions
    precondition(last < pageCapacity, "position \(positions.upperBound - 1) beyond \(pageCapacity) pages")
    while pages.count <= last { try append() }
    for index in first...last where !isKnownUniquelyReferenced(&pages[index]) {
      let holdsNothingToKeep = index * KVLayout.pagePositions >= positions.lowerBound
      pages[index] = holdsNothingToKeep ? try KVPage(byteCount: pageBytes) : try pages[index].clone()
      table[index] = UnsafeRawPointer(pages[index].memory.base)
    }
  }

  /// Adds an empty page, as restoring does.
  @discardableResult
  func append() throws(LacunaError) -> UnsafeMutableRawBufferPointer {
    let page = try KVPage(byteCount: pageBytes)
    table[pages.count] = UnsafeRawPointer(page.memory.base)
    pages.append(page)
    return UnsafeMutableRawBufferPointer(start: page.memory.base, count: pageBytes)
  }

  func bytes(ofPage index: Int) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: pages[index].memory.base, count: pageBytes)
  }
}
