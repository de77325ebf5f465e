import Synchronization

// What happens when a mapped file is cut short by another process: the kernel raises SIGBUS at the first read past
// the new end. The process must not go on with wrong weights, and must not die without a word.
#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// An ordered exit, with a message that names the file, when a mapped file can no longer be read.
package enum BusErrorExit {
  package static let status: Int32 = 74  // EX_IOERR of sysexits.h

  /// Installs the process-wide handler. A fault outside of every mapped file keeps its default effect.
  package static func install() {
    _ = slots
    var action = sigaction()
    #if canImport(Darwin)
      action.__sigaction_u.__sa_sigaction = handler
    #else
      action.__sigaction_handler.sa_sigaction = handler
    #endif
    action.sa_flags = SA_SIGINFO
    sigemptyset(&action.sa_mask)
    sigaction(SIGBUS, &action, nil)
  }

  /// A mapped range as the handler may read it at any moment: `path` is written before `base`, and freed when the slot is
  /// used again. A handler that reads it at that moment does so for a range that was unmapped while it faulted.
  private struct Slot: ~Copyable {
    let base = Atomic<UInt>(0)
    let byteCount = Atomic<Int>(0)
    let path = Atomic<UInt>(0)
  }

  // SAFETY: allocated once, never freed; its fields are atomics.
  private nonisolated(unsafe) static let slots: UnsafeMutablePointer<Slot> = {
    let slots = UnsafeMutablePointer<Slot>.allocate(capacity: slotCount)
    for index in 0..<slotCount { (slots + index).initialize(to: Slot()) }
    return slots
  }()
  private static let slotCount = 256
  private static let reserved: UInt = 1

  static func register(base: UnsafeRawPointer, byteCount: Int, path: String) {
    for index in 0..<slotCount {
      let slot = slots + index
      guard slot.pointee.base.compareExchange(expected: 0, desired: reserved, ordering: .acquiring).exchanged else {
        continue
      }
      if let old = UnsafeMutablePointer<CChar>(bitPattern: slot.pointee.path.load(ordering: .relaxed)) { free(old) }
      slot.pointee.path.store(UInt(bitPattern: strdup(path)), ordering: .relaxed)
      slot.pointee.byteCount.store(byteCount, ordering: .relaxed)
      slot.pointee.base.store(UInt(bitPattern: base), ordering: .releasing)
      return
    }
  }

  static func unregister(base: UnsafeRawPointer) {
    for index in 0..<slotCount where (slots + index).pointee.base.load(ordering: .relaxed) == UInt(bitPattern: base) {
      (slots + index).pointee.base.store(0, ordering: .releasing)
      return
    }
  }

  /// Only functions that POSIX lists as async-signal-safe.
  private static let handler:
    @convention(c) (Int32, UnsafeMutablePointer<siginfo_t>?, UnsafeMutableRawPointer?) -> Void = {
      _, info, _ in
      #if canImport(Darwin)
        let address = UInt(bitPattern: info?.pointee.si_addr)
      #else
        let address = UInt(bitPattern: info?.pointee._sifields._sigfault.si_addr)
      #endif
      for index in 0..<slotCount {
        let slot = slots + index
        let base = slot.pointee.base.load(ordering: .acquiring)
        guard base > reserved, address >= base, address - base < UInt(slot.pointee.byteCount.load(ordering: .relaxed)),
          let path = UnsafePointer<CChar>(bitPattern: slot.pointee.path.load(ordering: .relaxed))
        else { continue }
        put("lacuna: ")
        write(2, path, strlen(path))
        put(": cannot be read any more (cut short while it was in use?)\n")
        _exit(status)
      }
      signal(SIGBUS, SIG_DFL)
      raise(SIGBUS)
    }

  private static func put(_ text: StaticString) { write(2, text.utf8Start, text.utf8CodeUnitCount) }
}
