#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Memory whose last byte is followed by a page that may not be touched: reading or writing beyond the end stops the test.
///
/// The start is as unaligned as the byte count makes it, or `shift` bytes less than that, which leaves a gap at the end.
public final class GuardedBuffer {
  public let base: UnsafeMutableRawPointer
  public let byteCount: Int
  private let mapping: UnsafeMutableRawPointer
  private let mappingBytes: Int

  public init(byteCount: Int, shift: Int = 0) {
    let page = Int(getpagesize())
    let usable = (byteCount + shift + page - 1) / page * page
    mappingBytes = usable + page
    let memory = mmap(nil, mappingBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0)
    guard let memory, memory != MAP_FAILED else { fatalError("mmap of \(mappingBytes) bytes failed") }
    guard mprotect(memory + usable, page, PROT_NONE) == 0 else { fatalError("mprotect failed") }
    mapping = memory
    base = memory + usable - byteCount - shift
    self.byteCount = byteCount
  }

  deinit { munmap(mapping, mappingBytes) }

  /// Room for values of `type`, filled from a sequence where one is given.
  public convenience init<T>(copying values: [T], shift: Int = 0) {
    self.init(byteCount: values.count * MemoryLayout<T>.stride, shift: shift)
    values.withUnsafeBytes { if let source = $0.baseAddress { base.copyMemory(from: source, byteCount: $0.count) } }
  }

  /// The memory as values; `T` must suit its alignment.
  public func values<T: BitwiseCopyable>(of type: T.Type = T.self) -> UnsafeMutablePointer<T> {
    base.assumingMemoryBound(to: type)
  }

  public var floats: UnsafeMutablePointer<Float> { values() }

  public func array<T: BitwiseCopyable>(of type: T.Type = T.self) -> [T] {
    let count = byteCount / MemoryLayout<T>.stride
    return (0..<count).map { base.loadUnaligned(fromByteOffset: $0 * MemoryLayout<T>.stride, as: type) }
  }
}
