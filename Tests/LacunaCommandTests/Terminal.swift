import CTestSupport
import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A terminal for a command's standard error: what it writes there is read at this end.
final class Terminal {
  struct Failure: Error {
    let code: Int32
  }

  /// The command's end.
  let file: FileHandle
  private let master: Int32

  init() throws {
    var (own, theirs) = (Int32(-1), Int32(-1))
    let code = ct_open_terminal(&own, &theirs)
    if code != 0 { throw Failure(code: code) }
    master = own
    file = FileHandle(fileDescriptor: theirs, closeOnDealloc: false)
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
