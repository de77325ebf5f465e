#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A flat directory that appears under its final name whole or not at all.
///
/// It grows in a hidden sibling and is renamed when everything is on disk.
package final class StagedDirectory {
  let destination: String
  private let folder: WorkFolder

  package var path: String { folder.path }

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
    folder = try WorkFolder(in: parent, prefix: ".\(name).partial-", for: trimmed)
  }

  func file(_ name: String) -> String { "\(path)/\(name)" }

  /// Gives the directory its final name. Its files must have been forced to disk.
  package func commit() throws(LacunaError) {
    try folder.synchronize()
    var status = stat()
    guard lstat(destination, &status) != 0 else {
      throw LacunaError(.invalidArgument, "\(destination): was created by somebody else in the meantime")
    }
    guard rename(path, destination) == 0 else { throw OutputFile.failure("rename to \(destination)", path, errno) }
    folder.isKept = true
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
