import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A hidden folder for half-finished work, beside where its results belong; removed with this object.
final class WorkFolder {
  let path: String

  /// Creates `directory` too, and whatever is missing above it.
  ///
  /// - Throws: `resource`.
  init(in directory: String, prefix: String) throws(LacunaError) {
    path = "\(directory)/\(prefix)\(getpid())-\(UInt32.random(in: .min ... .max))"
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      throw LacunaError(.resource, "\(path): cannot create: \(error.localizedDescription)")
    }
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Moves a file to its final name, content first, so that the name never stands for half a file.
  func publish(_ file: String, as destination: String) throws(LacunaError) {
    let descriptor = open(file, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw OutputFile.failure("open", file, errno) }
    let synchronized = fsync(descriptor)
    let code = errno
    close(descriptor)
    guard synchronized == 0 else { throw OutputFile.failure("write to disk", file, code) }
    guard rename(file, destination) == 0 else { throw OutputFile.failure("rename to \(destination)", file, errno) }
  }
}
