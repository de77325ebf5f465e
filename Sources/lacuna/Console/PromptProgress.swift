/// Shows how far a long prompt is read, and lets Ctrl-C end the reading.
final class PromptProgress: Sendable {
  private let line = ProgressLine("reading the prompt")

  /// As `Session.onProgress`: false after Ctrl-C.
  func update(_ done: Int, _ all: Int) -> Bool {
    let isInterrupted = Interrupt.isRequested
    if isInterrupted || done >= all { line.finish() } else { line.update(Double(done) / Double(all)) }
    return !isInterrupted
  }
}
