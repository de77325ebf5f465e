#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A file that appears under its name only when it is whole: written beside it, synced, then renamed.
///
/// Unless `commit` was reached, nothing is left behind and what stood under the name before still does.
package final class AtomicFile {
  package let path: String
  private let temporaryPath: String
  private let descriptor: Int32
  private var committed = false

  package init(path: String) throws(LacunaError) {
    self.path = path
    temporaryPath = "\(path).\(getpid()).\(UInt32.random(in: 0 ... .max)).partial"
    descriptor = open(temporaryPath, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw Self.failure(path, "cannot create") }
  }

  deinit {
    close(descriptor)
    if !committed { unlink(temporaryPath) }
  }

  package func write(_ bytes: UnsafeRawBufferPointer) throws(LacunaError) {
    var rest = bytes
    while !rest.isEmpty {
      let count = systemWrite(descriptor, rest.baseAddress!, rest.count)
      if count < 0 {
        if errno == EINTR { continue }
        throw Self.failure(path, "cannot write")
      }
      rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    }
  }

  package func commit() throws(LacunaError) {
    guard fsync(descriptor) == 0 else { throw Self.failure(path, "cannot write") }
    guard rename(temporaryPath, path) == 0 else { throw Self.failure(path, "cannot replace") }
    committed = true
  }

  private static func failure(_ path: String, _ what: String) -> LacunaError {
    LacunaError(.resource, "\(path): \(what): \(String(cString: strerror(errno)))")
  }
}

private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int {
  write(descriptor, bytes, count)
}
