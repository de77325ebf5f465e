internal import LacunaEngine

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Darwin)
  internal import Darwin
#endif

enum ScriptFile {
  /// Enough for any script; a model file given by mistake is refused before it is read.
  private static let mostBytes = 16 << 20

  /// - Parameter path: "-" reads standard input.
  static func read(_ path: String) throws(LacunaError) -> [UInt8] {
    let descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      let code: LacunaError.Code = errno == ENOENT ? .notFound : .unreadable
      throw LacunaError(code, "\(path): \(String(cString: strerror(errno)))")
    }
    defer { if descriptor != STDIN_FILENO { close(descriptor) } }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = chunk.withUnsafeMutableBytes { readBytes(descriptor, $0.baseAddress, $0.count) }
      if count == 0 { return bytes }
      if count < 0 {
        if errno == EINTR { continue }
        throw LacunaError(.unreadable, "\(path): \(String(cString: strerror(errno)))")
      }
      bytes += chunk[..<count]
      guard bytes.count <= mostBytes else {
        throw LacunaError(.malformed, "\(path): expected a script of at most \(mostBytes) bytes, found more")
      }
    }
  }
}

/// read(2), under a name that `ScriptFile.read` does not hide.
private func readBytes(_ descriptor: Int32, _ buffer: UnsafeMutableRawPointer?, _ count: Int) -> Int {
  read(descriptor, buffer, count)
}
