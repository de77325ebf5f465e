import LacunaEngine
import Testing

@Suite("Pages of keys and values")
struct KVPagesTests {
  private static let pageBytes = 4096

  /// Pages that are gone again, of bytes that are all `value`.
  private func leave(_ count: Int, filledWith value: UInt8, in pool: KVPagePool) throws {
    let pages = KVPages(pool: pool, positionCapacity: 32 * count)
    for _ in 0..<count { try fill(pages, with: value) }
  }

  private func fill(_ pages: KVPages, with value: UInt8) throws {
    try [UInt8](repeating: value, count: Self.pageBytes).withUnsafeBytes { try pages.append($0) }
  }

  @Test("memory that pages leave is kept up to the limit, and zeroed for the next ones")
  func reuse() throws {
    let pool = KVPagePool(pageBytes: Self.pageBytes, limit: UnusedMemoryLimit(bytes: 3 * Self.pageBytes - 1))
    try leave(3, filledWith: 0xFF, in: pool)
    #expect(pool.unusedCount == 2)
    let pages = KVPages(pool: pool, positionCapacity: 96)
    try pages.prepareToWrite(positions: 0..<96)
    #expect(pool.unusedCount == 0)
    for page in 0..<3 { #expect(pages.bytes(ofPage: page).allSatisfy { $0 == 0 }) }
  }

  @Test("what several pools keep is limited together, and a pool that is gone keeps nothing")
  func commonLimit() throws {
    let limit = UnusedMemoryLimit(bytes: 2 * Self.pageBytes)
    let second = KVPagePool(pageBytes: Self.pageBytes, limit: limit)
    do {
      let first = KVPagePool(pageBytes: Self.pageBytes, limit: limit)
      try leave(2, filledWith: 1, in: first)
      #expect(first.unusedCount == 2)
      try leave(1, filledWith: 1, in: second)
      #expect(second.unusedCount == 0)
    }
    try leave(3, filledWith: 1, in: second)
    #expect(second.unusedCount == 2)
  }

  @Test("a page that is written after a fork begins as a copy, whatever its memory held")
  func copy() throws {
    let pool = KVPagePool(pageBytes: Self.pageBytes)
    let trunk = KVPages(pool: pool, positionCapacity: 64)
    try fill(trunk, with: 7)
    try leave(1, filledWith: 0xFF, in: pool)
    let branch = trunk.fork()
    try branch.prepareToWrite(positions: 5..<6)
    #expect(pool.unusedCount == 0)
    #expect(branch.bytes(ofPage: 0).allSatisfy { $0 == 7 })
    #expect(branch.bytes(ofPage: 0).baseAddress != trunk.bytes(ofPage: 0).baseAddress)
  }
}
