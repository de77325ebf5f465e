import LacunaEngine
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Ctrl-C. Work that can stop between two tokens asks `isRequested`; everything else ends at once.
enum Interrupt {
  /// What a shell reports for a process that SIGINT ended (128 + 2).
  static let exitStatus: Int32 = 130

  private static let requested = Atomic<Bool>(false)
  /// The ends of a pipe that the handler writes to, so that a thread can sleep until then; -1 before there is one.
  private static let bellEnd = Atomic<Int32>(-1)
  private static let bellRope = Atomic<Int32>(-1)

  static var isRequested: Bool { requested.load(ordering: .relaxed) }

  /// From now on the first Ctrl-C only sets `isRequested`; a second one ends the process.
  static func stopBetweenTokens() {
    // Touched before a signal can arrive: a first use inside the handler would run a lazy initialiser there.
    requested.store(false, ordering: .relaxed)
    hangBell()
    var action = sigaction()
    let handler: @convention(c) (Int32) -> Void = { _ in
      if Interrupt.requested.exchange(true, ordering: .relaxed) { _exit(Interrupt.exitStatus) }
      let before = errno
      var byte: UInt8 = 0
      _ = write(Interrupt.bellRope.load(ordering: .relaxed), &byte, 1)
      errno = before
    }
    #if canImport(Darwin)
      action.__sigaction_u.__sa_handler = handler
    #else
      action.__sigaction_handler.sa_handler = handler
    #endif
    // Without SA_RESTART: a read that waits for a line returns.
    action.sa_flags = 0
    sigemptyset(&action.sa_mask)
    sigaction(SIGINT, &action, nil)
  }

  private static func hangBell() {
    guard bellRope.load(ordering: .relaxed) < 0 else { return }
    var ends: [Int32] = [-1, -1]
    // Without a pipe nothing is written, and `watch` looks now and then.
    guard pipe(&ends) == 0 else { return }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    bellEnd.store(ends[0], ordering: .relaxed)
    bellRope.store(ends[1], ordering: .relaxed)
  }

  /// Forgets a Ctrl-C that has been answered.
  static func clear() { requested.store(false, ordering: .relaxed) }

  /// Calls `stop` for every Ctrl-C from now on, where `clear` follows each. A handler may do little, so a thread sleeps
  /// until it rings.
  static func watch(_ stop: @escaping @Sendable () -> Void) {
    stopBetweenTokens()
    let status = startThread(stackBytes: 1 << 16) {
      var byte: UInt8 = 0
      while true {
        if read(bellEnd.load(ordering: .relaxed), &byte, 1) < 0, errno != EINTR { usleep(20_000) }
        if isRequested { stop() }
      }
    }
    // Nobody would hear it.
    if status != 0 { signal(SIGINT) { _ in _exit(130) } }
  }

  /// How the process treats signals until a verb says otherwise.
  static func installDefaults() {
    // A parent's thread may have handed down a mask that blocks what we wait for.
    var none = sigset_t()
    sigemptyset(&none)
    sigprocmask(SIG_SETMASK, &none, nil)
    signal(SIGINT) { _ in _exit(130) }
    // A reader that goes away (`lacuna generate | head`) ends the process as it ends every other filter, also where
    // a parent has told us to ignore it.
    signal(SIGPIPE, SIG_DFL)
  }
}
