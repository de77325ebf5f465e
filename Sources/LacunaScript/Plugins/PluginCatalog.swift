public import LacunaEngine

/// The places where plugins are looked for, in order.
public struct PluginSearch: Sendable {
  /// Folders of plugins, the first before the others.
  public var places: [(path: String, origin: PluginFolder.Origin)] = []
  /// Plugins named one by one (--plugin): before all places.
  public var given: [String] = []
  /// A ./plugins that nobody has trusted: its plugins are not run, and messages say so.
  public var untrusted: String?
  /// Of plugins whose content must not change; nil for none.
  public var lock: PluginLock?

  /// Looks nowhere.
  public init() {}
}

/// The plugins that a search has found: name, place and manifest, no Lua.
public struct PluginCatalog: Sendable {
  /// By name; the first found wins.
  public private(set) var plugins: [PluginFolder] = []
  /// Found later under a name that was taken.
  public private(set) var shadowed: [PluginFolder] = []
  /// Folders with a manifest that cannot be read.
  public private(set) var broken: [(path: String, error: LacunaError)] = []
  public let untrusted: String?

  /// - Throws: what is wrong with a plugin that was given by path; elsewhere a broken one is listed.
  public init(_ search: PluginSearch) throws(LacunaError) {
    untrusted = search.untrusted
    for path in search.given { add(try PluginFolder(path: path, origin: .given)) }
    for place in search.places {
      for name in (try? directoryEntries(place.path)) ?? [] {
        let path = "\(place.path)/\(name)"
        guard fileExists("\(path)/\(PluginManifest.fileName)") else { continue }
        do throws(LacunaError) {
          add(try PluginFolder(path: path, origin: place.origin))
        } catch {
          broken.append((path, error))
        }
      }
    }
  }

  private mutating func add(_ folder: PluginFolder) {
    if plugins.contains(where: { $0.name == folder.name }) { shadowed.append(folder) } else { plugins.append(folder) }
  }

  /// - Throws: `notFound` with what is near; what is wrong with it where it is broken.
  public func plugin(named name: String) throws(LacunaError) -> PluginFolder {
    if let plugin = plugins.first(where: { $0.name == name }) { return plugin }
    if let broken = broken.first(where: { $0.path.hasSuffix("/\(name)") }) { throw broken.error }
    if name.contains("/") {
      throw LacunaError(
        .notFound, "\(name): expected a plugin's folder, found \(isDirectory(name) ? "no plugin.json in it" : "none")")
    }
    throw LacunaError(
      .notFound,
      "plugin \"\(name)\": not found\(NearestName.hint(name, in: plugins.map(\.name)))\(placeHint(name))\(trustHint)")
  }

  /// What to do where a name was not found, and a plugin of that name lies in the working directory.
  func placeHint(_ name: String) -> String {
    guard PluginManifest.isKebabCase(name), fileExists("\(name)/\(PluginManifest.fileName)") else { return "" }
    return "; there is a plugin in ./\(name), which --plugin ./\(name) would load"
  }

  /// The plugin of a name, or the one that provides something of that name.
  /// - Throws: as `plugin(named:)`; `invalidArgument` where several plugins provide it.
  public func plugin(ofOrProviding word: String) throws(LacunaError) -> PluginFolder {
    let folded = Self.fold(word)
    let providers = plugins.filter { plugin in plugin.manifest.provides.contains { Self.fold($0.name) == folded } }
    if providers.isEmpty || plugins.contains(where: { $0.name == word }) { return try plugin(named: word) }
    guard providers.count == 1 else {
      throw LacunaError(
        .invalidArgument,
        "\"\(word)\": expected what one plugin provides, found it in "
          + providers.map { "\"\($0.name)\"" }.joined(separator: ", "))
    }
    return providers[0]
  }

  var trustHint: String {
    untrusted.map { "; \($0) is not looked into before `lacuna plugin trust`" } ?? ""
  }

  /// Every name of a kind, as "plugin/name"; for hooks the plugin's.
  /// - Parameter short: the names alone and the plugins' as well, for saying what is near.
  public func names(of kind: PluginManifest.Kind, short: Bool = false) -> [String] {
    plugins.flatMap { plugin in
      plugin.manifest.provides.filter { $0.kind == kind }.flatMap { provision -> [String] in
        guard kind != .hooks else { return [plugin.name] }
        let full = "\(plugin.name)/\(provision.name)"
        return short ? [full, provision.name, plugin.name] : [full]
      }
    }
  }

  /// What a word stands for: "plugin/name", or a name that one plugin alone provides, or a plugin that provides one
  /// thing of the kind. "-" and "_" are alike.
  /// - Returns: nil where nothing has the name.
  /// - Throws: `invalidArgument` where several have it.
  public func find(
    _ kind: PluginManifest.Kind, _ word: String
  ) throws(LacunaError) -> (plugin: PluginFolder, name: String)? {
    let folded = Self.fold(word)
    func matches(_ test: (PluginFolder, String) -> Bool) -> [(plugin: PluginFolder, name: String)] {
      plugins.flatMap { plugin in
        plugin.manifest.provides.filter { $0.kind == kind && test(plugin, $0.name) }.map { (plugin, $0.name) }
      }
    }
    for found in [
      matches { Self.fold("\($0.name)/\($1)") == folded },
      matches { kind == .hooks ? Self.fold($0.name) == folded : Self.fold($1) == folded },
      matches { plugin, _ in Self.fold(plugin.name) == folded },
    ] {
      if found.count > 1 {
        throw LacunaError(
          .invalidArgument,
          "\(kind.rawValue) \"\(word)\": expected one plugin's, found "
            + found.map { "\"\($0.plugin.name)/\($0.name)\"" }.joined(separator: ", "))
      }
      if let one = found.first { return one }
    }
    return nil
  }

  private static func fold(_ name: String) -> String { String(name.map { $0 == "_" ? "-" : $0 }) }
}
