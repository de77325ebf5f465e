import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A hidden folder for half-finished work, beside where its results belong; removed with this object unless it is kept.
///
/// One whose process died is removed by the next that is made with the same prefix: its lock tells that nobody holds it.
final class WorkFolder {
  let path: String
  /// Set once the folder has become something else under another name.
  var isKept = false
  private let lock: Int32

  /// - Parameters:
  ///   - directory: must exist.
  ///   - purpose: what the folder is for, in messages.
  /// - Throws: `resource`.
  init(in directory: String, prefix: String, for purpose: String) throws(LacunaError) {
    Self.removeAbandoned(in: directory, prefix: prefix)
    let path = "\(directory)/\(prefix)\(getpid())-\(UInt32.random(in: .min ... .max))"
    guard mkdir(path, 0o755) == 0 else { throw OutputFile.failure("create", purpose, errno) }
    lock = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard lock >= 0, flock(lock, LOCK_EX | LOCK_NB) == 0 else {
      let code = errno
      rmdir(path)
      throw OutputFile.failure("lock", path, code)
    }
    self.path = path
  }

  deinit {
    if !isKept { Self.remove(path) }
    if lock >= 0 { close(lock) }
  }

  /// Waits until the folder's list of files is on disk.
  func synchronize() throws(LacunaError) {
    guard fsync(lock) == 0 else { throw OutputFile.failure("write to disk", path, errno) }
  }

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

  private static func removeAbandoned(in directory: String, prefix: String) {
    for name in (try? directoryEntries(directory)) ?? [] where name.hasPrefix(prefix) {
      let path = "\(directory)/\(name)"
      let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
      guard descriptor >= 0 else { continue }
      if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { remove(path) }
      close(descriptor)
    }
  }

  private static func remove(_ path: String) { try? FileManager.default.removeItem(atPath: path) }
}
