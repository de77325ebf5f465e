#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Zeroed memory, aligned to 64 bytes, owned by one value and freed with it. It never grows.
package struct AlignedBuffer: ~Copyable, @unchecked Sendable {
  // SAFETY: the pointer is private to this value, which cannot be copied; sharing is the owner's business.
  package let base: UnsafeMutableRawPointer
  package let byteCount: Int

  /// Memory from the system, untouched until it is written: pages that are never used cost nothing.
  package init(byteCount: Int) throws(LacunaError) {
    let size = max(byteCount, 64)
    let pointer = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard let pointer, pointer != MAP_FAILED else {
      throw LacunaError(.resource, "cannot allocate \(byteCount) bytes: \(String(cString: strerror(errno)))")
    }
    base = pointer
    self.byteCount = size
    #if os(Linux)
      if size >= 4 << 20 { madvise(pointer, size, MADV_HUGEPAGE) }
    #endif
  }

  /// What the system gives for it: whole pages.
  package var pageByteCount: Int { (byteCount + 4095) / 4096 * 4096 }

  deinit { munmap(base, byteCount) }

  package func floats(at byteOffset: Int = 0) -> UnsafeMutablePointer<Float> {
    (base + byteOffset).assumingMemoryBound(to: Float.self)
  }
}
