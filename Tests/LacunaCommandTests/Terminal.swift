import Foundation
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A terminal for a command's standard error: what it writes there is read at this end.
final class Terminal {
  struct Failure: Error {
    let call: String
    let code = errno
  }

  /// The command's end.
  let file: FileHandle
  private let master: Int32

  init() throws {
    master = posix_openpt(O_RDWR | O_NOCTTY)
    guard master >= 0 else { throw Failure(call: "posix_openpt") }
    guard grantpt(master) == 0, unlockpt(master) == 0, let name = ptsname(master) else {
      throw Failure(call: "unlockpt")
    }
    let slave = open(name, O_RDWR | O_NOCTTY)
    guard slave >= 0 else { throw Failure(call: "open") }
    file = FileHandle(fileDescriptor: slave, closeOnDealloc: false)
  }

  deinit { close(master) }

  /// Everything up to where no process has the other end any more.
  /// - Parameter onText: called with all of it whenever some more has come.
  func readAll(_ onText: (String) -> Void) -> String {
    close(file.fileDescriptor)
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = read(master, &chunk, chunk.count)
      if count < 0, errno == EINTR { continue }
      // The system says "input/output error" for a terminal that everybody has left.
      guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
      bytes += chunk[..<count]
      onText(String(decoding: bytes, as: UTF8.self))
    }
  }
}
