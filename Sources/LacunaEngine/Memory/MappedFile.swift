#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A regular file mapped read-only for as long as this object lives.
///
/// Links are followed, for a hub cache consists of them; pipes, devices and directories are refused without
/// blocking. Reading past the end of a file that another process cut short raises SIGBUS: call `checkUnchanged`
/// before the first use, and install `BusErrorExit` in a program.
package final class MappedFile: @unchecked Sendable {
  // SAFETY: the mapping is never written to and is removed only by deinit.
  package let base: UnsafeRawPointer
  package let byteCount: Int
  package let path: String
  private let file: OpenFile

  /// - Throws: `notFound`, `unreadable`, or `malformed` for an empty file.
  package init(path: String) throws(LacunaError) {
    file = try OpenFile(path: path)
    guard file.byteCount > 0 else {
      throw LacunaError(.malformed, "\(path): expected content, found an empty file")
    }
    let pointer = mmap(nil, file.byteCount, PROT_READ, MAP_PRIVATE, file.descriptor, 0)
    guard let pointer, pointer != MAP_FAILED else {
      throw LacunaError(.unreadable, "\(path): cannot map \(file.byteCount) bytes: \(systemMessage(errno))")
    }
    base = UnsafeRawPointer(pointer)
    byteCount = file.byteCount
    self.path = path
    BusErrorExit.register(base: base, byteCount: byteCount, path: path)
  }

  deinit {
    BusErrorExit.unregister(base: base)
    munmap(UnsafeMutableRawPointer(mutating: base), byteCount)
  }

  /// Valid while this object lives, which the pointer does not see to: `withExtendedLifetime` where nothing else holds it.
  package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: byteCount) }

  /// - Throws: `malformed` if the file has changed its size since it was mapped.
  package func checkUnchanged() throws(LacunaError) {
    let found = try file.currentByteCount()
    guard found == byteCount else {
      throw LacunaError(
        .malformed, file: path, field: "size", expected: "\(byteCount) bytes",
        found: "\(found) (the file changed while it was open)")
    }
  }
}

/// The whole content of a small regular file, opened by the same rules as a `MappedFile`.
///
/// - Throws: `malformed` if it is larger than `limit`, or shrinks while it is read.
package func readFile(_ path: String, limit: Int) throws(LacunaError) -> [UInt8] {
  let file = try OpenFile(path: path)
  guard file.byteCount <= limit else {
    throw LacunaError(
      .malformed, file: path, field: "size", expected: "at most \(limit) bytes", found: "\(file.byteCount)")
  }
  var failure: Int32 = 0
  let bytes = [UInt8](unsafeUninitializedCapacity: file.byteCount) { buffer, count in
    while count < buffer.count {
      let got = pread(file.descriptor, buffer.baseAddress! + count, buffer.count - count, off_t(count))
      if got > 0 {
        count += got
      } else if got == 0 {
        return
      } else if errno != EINTR {
        failure = errno
        return
      }
    }
  }
  guard failure == 0 else { throw LacunaError(.unreadable, "\(path): cannot read: \(systemMessage(failure))") }
  guard bytes.count == file.byteCount else {
    throw LacunaError(
      .malformed, file: path, field: "size", expected: "\(file.byteCount) bytes",
      found: "\(bytes.count) (the file changed while it was read)")
  }
  return bytes
}

/// Whether something exists at the path; a dangling link does not.
package func fileExists(_ path: String) -> Bool { access(path, F_OK) == 0 }

package func isDirectory(_ path: String) -> Bool {
  var status = stat()
  return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
}

/// A descriptor of a regular file, closed with its owner.
private struct OpenFile: ~Copyable {
  let descriptor: Int32
  let byteCount: Int
  let path: String

  init(path: String) throws(LacunaError) {
    guard !path.utf8.contains(0) else { throw LacunaError(.notFound, "a path cannot contain a zero byte") }
    var descriptor: Int32
    repeat { descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC) } while descriptor < 0 && errno == EINTR
    guard descriptor >= 0 else {
      let code = errno
      throw LacunaError(
        code == ENOENT || code == ENOTDIR ? .notFound : .unreadable, "\(path): cannot open: \(systemMessage(code))")
    }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      let code = errno
      close(descriptor)
      throw LacunaError(.unreadable, "\(path): cannot examine: \(systemMessage(code))")
    }
    guard status.st_mode & S_IFMT == S_IFREG, let size = Int(exactly: status.st_size) else {
      close(descriptor)
      throw LacunaError(.unreadable, "\(path): expected a regular file, found \(Self.kind(of: status.st_mode))")
    }
    self.descriptor = descriptor
    byteCount = size
    self.path = path
  }

  deinit { close(descriptor) }

  func currentByteCount() throws(LacunaError) -> Int {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw LacunaError(.unreadable, "\(path): cannot examine: \(systemMessage(errno))")
    }
    return Int(status.st_size)
  }

  private static func kind(of mode: mode_t) -> String {
    switch mode & S_IFMT {
    case S_IFDIR: "a directory"
    case S_IFIFO: "a pipe"
    case S_IFSOCK: "a socket"
    case S_IFCHR, S_IFBLK: "a device"
    default: "something else"
    }
  }
}

private func systemMessage(_ code: Int32) -> String { String(cString: strerror(code)) }
