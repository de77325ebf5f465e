import LacunaEngine

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Standard output with every write checked: a full disk is an error, not a shorter file.
struct StandardOutput: ~Copyable {
  /// Whether a person is reading.
  static var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

  private var buffer: [UInt8] = []
  private static let capacity = 1 << 16

  mutating func write(_ text: String) throws(LacunaError) {
    buffer.append(contentsOf: text.utf8)
    if buffer.count >= Self.capacity { try flush() }
  }

  mutating func line(_ text: String = "") throws(LacunaError) {
    try write(text)
    try write("\n")
  }

  /// Hands over everything written so far; call it when a reader should see it now.
  mutating func flush() throws(LacunaError) {
    var done = 0
    while done < buffer.count {
      let written = buffer.withUnsafeBytes { bytes in
        #if canImport(Glibc)
          Glibc.write(STDOUT_FILENO, bytes.baseAddress! + done, bytes.count - done)
        #else
          Darwin.write(STDOUT_FILENO, bytes.baseAddress! + done, bytes.count - done)
        #endif
      }
      if written >= 0 {
        done += written
      } else if errno != EINTR {
        buffer.removeAll()
        throw LacunaError(.resource, "standard output: \(String(cString: strerror(errno)))")
      }
    }
    buffer.removeAll(keepingCapacity: true)
  }
}

/// A message for people, on standard error.
func printToStandardError(_ text: String) {
  let bytes = Array((text + "\n").utf8)
  _ = bytes.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
}
