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
  private let file: OutputFile
  private var byteCount = 0
  private var committed = false

  /// - Throws: `resource` naming the file, as the other members do.
  package init(path: String) throws(LacunaError) {
    self.path = path
    file = try OutputFile(creating: "\(path).\(getpid()).\(UInt32.random(in: 0 ... .max)).partial", named: path)
  }

  deinit {
    if !committed { unlink(file.path) }
  }

  package func write(_ bytes: UnsafeRawBufferPointer) throws(LacunaError) {
    try file.write(bytes, at: byteCount)
    byteCount += bytes.count
  }

  /// Writes a whole file, in place of the one that stood under its name.
  package static func write(_ bytes: [UInt8], to path: String) throws(LacunaError) {
    let file = try AtomicFile(path: path)
    try bytes.withUnsafeBufferPointer { (bytes) throws(LacunaError) in
      try file.write(UnsafeRawBufferPointer(bytes))
    }
    try file.commit()
  }

  package func commit() throws(LacunaError) {
    try file.synchronize()
    guard rename(file.path, path) == 0 else { throw OutputFile.failure("give the file its name", path, errno) }
    committed = true
  }
}
