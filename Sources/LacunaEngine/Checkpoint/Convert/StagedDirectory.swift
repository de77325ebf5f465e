#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A flat directory that appears under its final name whole or not at all.
///
/// It grows in a hidden sibling and is renamed when everything is on disk. A sibling whose process died is removed
/// by the next one for the same destination: its lock tells that nobody holds it.
package final class StagedDirectory {
  let destination: String
  package let path: String
  private let lock: Int32
  private var isCommitted = false

  /// - Throws: `invalidArgument` if something exists at the destination, `resource` if nothing can be made there.
  package init(destination: String) throws(LacunaError) {
    let trimmed = Self.withoutTrailingSlashes(destination)
    self.destination = trimmed
    guard !trimmed.isEmpty, !trimmed.utf8.contains(0) else {
      throw LacunaError(.invalidArgument, "the destination needs a name")
    }
    var status = stat()
    guard lstat(trimmed, &status) != 0 else {
      throw LacunaError(.invalidArgument, "\(trimmed): exists already; choose another name or remove it first")
    }
    let (parent, name) = Self.split(trimmed)
    let prefix = ".\(name).partial-"
    Self.removeAbandoned(in: parent, prefix: prefix)
    let path = "\(parent)/\(prefix)\(getpid())-\(UInt32.random(in: .min ... .max))"
    guard mkdir(path, 0o755) == 0 else { throw OutputFile.failure("create", path, errno) }
    lock = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard lock >= 0, flock(lock, LOCK_EX | LOCK_NB) == 0 else {
      let code = errno
      rmdir(path)
      throw OutputFile.failure("lock", path, code)
    }
    self.path = path
  }

  deinit {
    if !isCommitted { Self.remove(path) }
    if lock >= 0 { close(lock) }
  }

  func file(_ name: String) -> String { "\(path)/\(name)" }

  /// Gives the directory its final name. Its files must have been forced to disk.
  package func commit() throws(LacunaError) {
    guard fsync(lock) == 0 else { throw OutputFile.failure("write to disk", path, errno) }
    var status = stat()
    guard lstat(destination, &status) != 0 else {
      throw LacunaError(.invalidArgument, "\(destination): was created by somebody else in the meantime")
    }
    guard rename(path, destination) == 0 else { throw OutputFile.failure("rename to \(destination)", path, errno) }
    isCommitted = true
    // The name is what must survive a power cut now; a failure here loses no data.
    let parent = open(Self.split(destination).parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if parent >= 0 {
      fsync(parent)
      close(parent)
    }
  }

  /// Free bytes for an ordinary user where the directory lies; nil if the system does not say.
  var freeByteCount: Int? {
    var status = statvfs()
    guard statvfs(path, &status) == 0 else { return nil }
    let (bytes, overflow) = UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize))
    return overflow ? nil : Int(exactly: bytes)
  }

  package static func split(_ path: String) -> (parent: String, name: String) {
    guard let slash = path.lastIndex(of: "/") else { return (".", path) }
    let parent = path[..<slash]
    return (parent.isEmpty ? "/" : String(parent), String(path[path.index(after: slash)...]))
  }

  private static func withoutTrailingSlashes(_ path: String) -> String {
    var path = path[...]
    while path.count > 1, path.last == "/" { path.removeLast() }
    return String(path)
  }

  private static func removeAbandoned(in parent: String, prefix: String) {
    for name in entries(of: parent) where name.hasPrefix(prefix) {
      let path = "\(parent)/\(name)"
      let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
      guard descriptor >= 0 else { continue }
      if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { remove(path) }
      close(descriptor)
    }
  }

  private static func remove(_ directory: String) {
    for name in entries(of: directory) { unlink("\(directory)/\(name)") }
    rmdir(directory)
  }

  private static func entries(of directory: String) -> [String] { (try? directoryEntries(directory)) ?? [] }
}

/// The names in a directory, without "." and "..", sorted.
package func directoryEntries(_ path: String) throws(LacunaError) -> [String] {
  guard let stream = opendir(path) else {
    throw LacunaError(
      errno == ENOENT ? .notFound : .unreadable, "\(path): cannot list: \(String(cString: strerror(errno)))")
  }
  defer { closedir(stream) }
  var names: [String] = []
  while let entry = readdir(stream) {
    let name = withUnsafePointer(to: &entry.pointee.d_name) { tuple in
      tuple.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
    }
    if name != "." && name != ".." { names.append(name) }
  }
  return names.sorted()
}
