#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A new file that is written at any offset and forced to disk before it counts as finished.
package struct OutputFile: ~Copyable {
  let path: String
  /// What errors call it.
  private let name: String
  private let descriptor: Int32

  /// - Parameter name: what errors call it, in place of its path.
  /// - Throws: `resource` if it cannot be created; a file that exists is never opened.
  init(creating path: String, named name: String? = nil) throws(LacunaError) {
    self.path = path
    self.name = name ?? path
    var descriptor: Int32
    repeat {
      descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
    } while descriptor < 0 && errno == EINTR
    guard descriptor >= 0 else { throw Self.failure("create", self.name, errno) }
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  func write(_ bytes: [UInt8], at offset: Int) throws(LacunaError) {
    let code = bytes.withUnsafeBytes { put($0, at: offset) }
    guard code == 0 else { throw Self.failure("write", name, code) }
  }

  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(LacunaError) {
    let code = put(bytes, at: offset)
    guard code == 0 else { throw Self.failure("write", name, code) }
  }

  /// - Returns: 0, or the errno of the write that failed.
  private func put(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> Int32 {
    guard let base = bytes.baseAddress else { return 0 }
    var done = 0
    while done < bytes.count {
      let count = pwrite(descriptor, base + done, bytes.count - done, off_t(offset + done))
      if count > 0 {
        done += count
      } else if count == 0 || errno != EINTR {
        return count == 0 ? EIO : errno
      }
    }
    return 0
  }

  /// Waits until the content is on disk.
  func synchronize() throws(LacunaError) {
    while fsync(descriptor) != 0 {
      if errno == EINTR { continue }
      throw Self.failure("write to disk", name, errno)
    }
  }

  /// Writes a whole new file.
  package static func write(_ bytes: [UInt8], to path: String) throws(LacunaError) {
    let file = try OutputFile(creating: path)
    try file.write(bytes, at: 0)
    try file.synchronize()
  }

  package static func failure(_ verb: String, _ path: String, _ code: Int32) -> LacunaError {
    let reason = code == ENOSPC || code == EDQUOT ? "the disk is full" : String(cString: strerror(code))
    return LacunaError(.resource, "\(path): cannot \(verb): \(reason)")
  }
}
