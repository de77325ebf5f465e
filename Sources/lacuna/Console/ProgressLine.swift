import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// One line of progress on standard error, redrawn in place; nothing at all where that is no terminal, and nothing
/// for work that is over within half a second.
final class ProgressLine: Sendable {
  private struct State {
    var drawn = false
    /// When the work at hand began; nil between two.
    var start: ContinuousClock.Instant? = .now
    var lastDraw: ContinuousClock.Instant?
  }

  private let label: String
  private let state = Mutex(State())

  /// Whether anybody would see it.
  static var isVisible: Bool { isatty(STDERR_FILENO) == 1 }

  init(_ label: String) { self.label = label }

  deinit { finish() }

  /// - Parameters:
  ///   - fraction: 0...1 of the whole.
  ///   - detail: shown behind the bar.
  func update(_ fraction: Double, detail: String = "") {
    guard Self.isVisible else { return }
    let now = ContinuousClock.now
    state.withLock { state in
      guard let start = state.start else {
        state.start = now
        return
      }
      guard now - start > .milliseconds(500) else { return }
      if let last = state.lastDraw, now - last < .milliseconds(100) { return }
      state.lastDraw = now
      state.drawn = true
      let share = fraction.isFinite ? min(max(fraction, 0), 1) : 0
      let filled = Int(share * 24)
      let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: 24 - filled)
      let percent = "\(Int(share * 100))%"
      write("\r\u{1B}[K" + [label, bar, percent, detail].filter { !$0.isEmpty }.joined(separator: " "))
    }
  }

  /// Clears the line; an update after that is about other work. Safe to call twice.
  func finish() {
    state.withLock { state in
      if state.drawn { write("\r\u{1B}[K") }
      state.drawn = false
      state.start = nil
    }
  }

  private func write(_ text: String) {
    let bytes = Array(text.utf8)
    _ = bytes.withUnsafeBytes { pointer in
      #if canImport(Glibc)
        Glibc.write(STDERR_FILENO, pointer.baseAddress, pointer.count)
      #else
        Darwin.write(STDERR_FILENO, pointer.baseAddress, pointer.count)
      #endif
    }
  }
}
