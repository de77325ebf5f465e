import LacunaEngine

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Standard input, a line at a time and as bytes: what a reader makes of ill-formed UTF-8 is the reader's business.
struct StandardInput: ~Copyable {
  private var buffer: [UInt8] = []
  private var start = 0
  private var isAtEnd = false

  /// Whether a person is typing.
  static var isTerminal: Bool { isatty(STDIN_FILENO) == 1 }

  /// The next line without its end; nil at the end of the input and after Ctrl-C.
  mutating func line() throws(LacunaError) -> [UInt8]? {
    var searched = start
    while true {
      if let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
        let line = Array(buffer[start..<end])
        start = end + 1
        return line
      }
      searched = buffer.count
      guard !isAtEnd else {
        guard start < buffer.count else { return nil }
        let line = Array(buffer[start...])
        start = buffer.count
        return line
      }
      guard try fill(&searched) else { return nil }
    }
  }

  /// Whether `line` would return at once.
  var hasLine: Bool {
    if buffer[start...].contains(UInt8(ascii: "\n")) || isAtEnd { return true }
    var descriptor = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
    // What is there may end in the middle of a line: its writer is about to write the rest.
    return poll(&descriptor, 1, 0) > 0
  }

  /// Everything that is left.
  mutating func rest() throws(LacunaError) -> [UInt8] {
    var searched = buffer.count
    while !isAtEnd {
      guard try fill(&searched) else { break }
    }
    defer { start = buffer.count }
    return Array(buffer[start...])
  }

  /// Reads some more. False after Ctrl-C.
  private mutating func fill(_ searched: inout Int) throws(LacunaError) -> Bool {
    if start > 0 {
      buffer.removeFirst(start)
      searched -= start
      start = 0
    }
    var failure: Int32 = 0
    let chunk = [UInt8](unsafeUninitializedCapacity: 1 << 16) { bytes, count in
      var got = 0
      repeat {
        errno = 0
        got = read(STDIN_FILENO, bytes.baseAddress, bytes.count)
      } while got < 0 && errno == EINTR && !Interrupt.isRequested
      if got < 0, errno != EINTR { failure = errno }
      count = max(0, got)
    }
    if failure != 0 { throw LacunaError(.unreadable, "standard input: \(String(cString: strerror(failure)))") }
    if Interrupt.isRequested { return false }
    if chunk.isEmpty { isAtEnd = true }
    buffer += chunk
    return true
  }
}

/// All of standard input as text.
/// - Throws: `malformed` for ill-formed UTF-8.
func readStandardInput() throws(LacunaError) -> String {
  var input = StandardInput()
  guard let text = String(validating: try input.rest(), as: UTF8.self) else {
    throw LacunaError(.malformed, "standard input: expected UTF-8, found other bytes")
  }
  return text
}
