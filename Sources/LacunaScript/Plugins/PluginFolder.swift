internal import Crypto
public import LacunaEngine

/// A plugin as it lies on disk, before any of its Lua has run.
public struct PluginFolder: Sendable {
  /// Where it was found; the first of these that has a name wins.
  public enum Origin: String, Sendable, CaseIterable {
    /// Named by --plugin.
    case given
    /// ./plugins, once it is trusted.
    case project
    /// $XDG_DATA_HOME/lacuna/plugins.
    case user
    /// Beside the command.
    case installed
  }

  public let manifest: PluginManifest
  public let path: String
  public let origin: Origin

  public var name: String { manifest.name }

  /// - Throws: as `PluginManifest.init`.
  public init(path: String, origin: Origin) throws(LacunaError) {
    let path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    manifest = try PluginManifest(folder: path)
    self.path = path
    self.origin = origin
  }

  private static let greatestFileSize = 64 << 20

  /// SHA-256, in hex, over every file below the folder: its path, its length, its bytes.
  /// - Throws: `unreadable` or `malformed`.
  public func digest() throws(LacunaError) -> String { try Self.digest(path) }

  static func digest(_ path: String) throws(LacunaError) -> String {
    var hash = SHA256()
    for file in try files(of: path) {
      let bytes = try readFile("\(path)/\(file)", limit: Self.greatestFileSize)
      // With lengths, so that a path's or a file's end cannot be taken for the beginning of what follows.
      hash.update(data: Array("\(file.utf8.count) \(bytes.count) \(file)".utf8))
      hash.update(data: bytes)
    }
    return Reproduction.hex(hash.finalize())
  }

  /// Paths below the folder, sorted; hidden files are an editor's and left out.
  static func files(of path: String, under prefix: String = "") throws(LacunaError) -> [String] {
    var files: [String] = []
    for name in try directoryEntries(prefix.isEmpty ? path : "\(path)/\(prefix)") where !name.hasPrefix(".") {
      let inner = prefix.isEmpty ? name : "\(prefix)/\(name)"
      if isDirectory("\(path)/\(inner)") {
        files += try self.files(of: path, under: inner)
      } else {
        files.append(inner)
      }
    }
    return files
  }
}
