public import LacunaEngine

/// `plugins.lock`: which versions and contents of plugins are meant, so that what changes is noticed before it runs.
public struct PluginLock: Sendable, Equatable {
  public struct Entry: Sendable, Equatable {
    public let version: String
    public let sha256: String
    public let capabilities: [String]
  }

  public static let fileName = "plugins.lock"
  private static let greatestSize = 1 << 20

  public private(set) var entries: [String: Entry] = [:]

  /// That of the working directory; nil where there is none.
  /// - Throws: as `init(path:)`.
  public static func read() throws(LacunaError) -> PluginLock? {
    fileExists(fileName) ? try PluginLock(path: fileName) : nil
  }

  /// - Parameter lock: whose entries for other plugins stay.
  /// - Throws: as `PluginFolder.digest`.
  public init(_ plugins: [PluginFolder], beside lock: PluginLock? = nil) throws(LacunaError) {
    entries = lock?.entries ?? [:]
    for plugin in plugins {
      entries[plugin.name] = Entry(
        version: plugin.manifest.version.description, sha256: try plugin.digest(),
        capabilities: plugin.manifest.capabilities)
    }
  }

  /// - Throws: `notFound`, `unreadable`, or `malformed` naming the field.
  public init(path: String) throws(LacunaError) {
    let json = try JSONFields(try readFile(path, limit: Self.greatestSize), file: path)
    for name in json.names {
      guard let fields = try json.object(name) else { continue }
      guard let version = try fields.string("version"), let sha256 = try fields.string("sha256") else {
        throw json.refusal(name, "version and sha256", "neither or one")
      }
      entries[name] = Entry(version: version, sha256: sha256, capabilities: try fields.strings("capabilities") ?? [])
    }
  }

  /// JSON, one plugin a block, by name.
  public var text: String {
    let table = LuaTable(
      fields: entries.map { name, entry in
        (
          .string(name),
          .record([
            "version": .string(entry.version), "sha256": .string(entry.sha256),
            "capabilities": .table(LuaTable(array: entry.capabilities.map { .string($0) }, isMarkedAsArray: true)),
          ])
        )
      })
    return JSONCodec.line(.table(table), indent: 2) + "\n"
  }

  /// - Throws: `malformed` where a plugin that is locked is not what it was.
  func check(_ plugin: PluginFolder) throws(LacunaError) {
    guard let entry = entries[plugin.name] else { return }
    let digest = try plugin.digest()
    guard digest != entry.sha256 else { return }
    throw LacunaError(
      .malformed, file: Self.fileName, field: plugin.name, expected: "SHA-256 \(entry.sha256.prefix(12))...",
      found: "\(digest.prefix(12))... in \(plugin.path); `lacuna plugin diff` shows what changed, "
        + "`lacuna plugin lock` accepts it")
  }

  /// How a plugin differs from its entry, line by line; nil where it has none.
  public func changes(of plugin: PluginFolder) throws(LacunaError) -> [String]? {
    guard let entry = entries[plugin.name] else { return nil }
    var lines: [String] = []
    let version = plugin.manifest.version.description
    if version != entry.version { lines.append("version \(entry.version) -> \(version)") }
    let capabilities = plugin.manifest.capabilities
    lines += capabilities.filter { !entry.capabilities.contains($0) }.map { "+ capability \($0)" }
    lines += entry.capabilities.filter { !capabilities.contains($0) }.map { "- capability \($0)" }
    if try plugin.digest() != entry.sha256 { lines.append("content changed") }
    return lines
  }
}
