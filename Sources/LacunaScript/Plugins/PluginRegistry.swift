public import LacunaEngine

/// The plugins of one run: found once, each loaded into a state of its own when it is first needed.
///
/// Used from one thread, which needs a megabyte of stack at least.
public final class PluginRegistry {
  public let environment: ScriptEnvironment
  private var found: PluginCatalog?
  private var loaded: [String: Plugin] = [:]
  /// One for all states, so that a model compares equal to itself wherever it was asked for.
  private var models: [ObjectIdentifier: ModelObject] = [:]
  /// Plugins whose entry file is running: one that needs itself is caught.
  private var loading: Set<String> = []
  /// Calls inside calls that led to what runs now.
  private var depth = 0
  private static let greatestDepth = 16

  public init(_ environment: ScriptEnvironment) { self.environment = environment }

  /// - Throws: what is wrong with a plugin that was given by path.
  public func catalog() throws(LacunaError) -> PluginCatalog {
    if let found { return found }
    let catalog = try PluginCatalog(environment.plugins)
    found = catalog
    return catalog
  }

  func model(_ engine: Engine) -> ModelObject {
    if let known = models[ObjectIdentifier(engine)] { return known }
    let model = ModelObject(engine: engine)
    models[ObjectIdentifier(engine)] = model
    return model
  }

  /// The plugin, loaded and checked.
  /// - Throws: `LacunaError`, `ScriptError` or a failure of its own Lua.
  package func plugin(named name: String) throws -> Plugin {
    // One that a limit has ended is loaded anew.
    if let plugin = loaded[name], plugin.state.limitError == nil { return plugin }
    let plugin = try load(try catalog().plugin(named: name))
    loaded[name] = plugin
    if digests != nil { digests?[name] = plugin.digest }
    return plugin
  }

  private func load(_ folder: PluginFolder) throws -> Plugin {
    guard loading.insert(folder.name).inserted else {
      throw LacunaError(.invalidArgument, "plugin \(folder.name): needs itself while it is being loaded")
    }
    defer { loading.remove(folder.name) }
    try environment.plugins.lock?.check(folder)
    for (name, range) in folder.manifest.requires.sorted(by: { $0.key < $1.key }) {
      let other = try catalog().plugin(named: name)
      guard range.contains(other.manifest.version) else {
        throw LacunaError(
          .unsupported, file: "\(folder.path)/\(PluginManifest.fileName)", field: "requires.\(name)",
          expected: "\(range)", found: "\(other.manifest.version) in \(other.path)")
      }
    }
    do {
      return try Plugin(folder, registry: self)
    } catch let failure as LuaFailure {
      // The state that the error's value lives in is gone.
      throw failure.error
    }
  }

  // MARK: Finding

  /// - Throws: `notFound` with what is near.
  func find(_ kind: PluginManifest.Kind, _ word: String) throws -> (plugin: Plugin, name: String) {
    let catalog = try catalog()
    guard let found = try catalog.find(kind, word) else {
      let names = catalog.names(of: kind)
      throw LacunaError(
        .notFound,
        "no \(kind.rawValue) \"\(word)\"\(NearestName.hint(word, in: catalog.names(of: kind, short: true)))"
          + (names.isEmpty ? "; no plugin provides one" : "; plugins provide \(names.joined(separator: ", "))")
          + catalog.placeHint(word) + catalog.trustHint)
    }
    return (try plugin(named: found.plugin.name), found.name)
  }

  private func definition<Definition>(
    _ kind: PluginManifest.Kind, _ word: String, _ definitions: (PluginKinds) -> [String: Definition]
  ) throws -> (plugin: Plugin, name: String, definition: Definition) {
    let (plugin, name) = try find(kind, word)
    guard let definition = definitions(plugin.kinds)[name] else {
      preconditionFailure("\(plugin.name) was checked to define \(kind.rawValue) \(name)")
    }
    return (plugin, name, definition)
  }

  package func sampler(named word: String) throws -> (plugin: Plugin, name: String, definition: PluginKinds.Sampler) {
    try definition(.sampler, word, \.samplers)
  }
  package func decoder(named word: String) throws -> (plugin: Plugin, name: String, definition: PluginKinds.Decoder) {
    try definition(.decoder, word, \.decoders)
  }
  package func pipeline(named word: String) throws -> (
    plugin: Plugin, name: String, definition: PluginKinds.Pipeline
  ) { try definition(.pipeline, word, \.pipelines) }
  /// "tofu/truth_ratio" or "truth_ratio".
  package func probe(named word: String) throws -> (plugin: Plugin, name: String, definition: PluginKinds.Probe) {
    try definition(.probe, word, \.probes)
  }
  package func tool(named word: String) throws -> (plugin: Plugin, name: String, definition: PluginKinds.Tool) {
    try definition(.tool, word, \.tools)
  }
  package func template(named word: String) throws -> (
    plugin: Plugin, name: String, definition: PluginKinds.Template
  ) { try definition(.template, word, \.templates) }

  /// The hooks of a plugin.
  func hooks(named word: String) throws -> HookSet {
    let (plugin, _) = try find(.hooks, word)
    return try HookSet(plugin.kinds.hooks, named: plugin.name, owner: plugin) {
      .error(code: "malformed", message: "plugin \(plugin.name): hooks: \($0)")
    }
  }

  /// A call of a plugin's function as a piece of work.
  /// - Parameter notesSessions: whether the sessions that it makes are wanted.
  func call(
    _ plugin: Plugin, _ function: LuaReference, _ arguments: [LuaValue], notesSessions: Bool = false
  ) throws -> PluginCall {
    let call = PluginCall(plugin, function, arguments, depth: try oneDeeper(), in: self)
    if notesSessions { call.madeSessions = [] }
    return call
  }

  /// How deep work is that what runs now asks for: each level needs stack of the host's.
  private func oneDeeper() throws -> Int {
    guard depth < Self.greatestDepth else {
      throw HostFault.error(
        code: "limit",
        message: "calls of plugins and of lacuna.parallel inside each other go more than \(Self.greatestDepth) deep")
    }
    return depth + 1
  }

  /// The items of a `lacuna.parallel`, at a depth of their own.
  func company(_ work: any Work) throws -> any Work { CompanyWork(work, depth: try oneDeeper(), in: self) }

  /// Whether what runs is, however deep, within an item of `lacuna.parallel`.
  fileprivate(set) var isInCompany = false

  fileprivate func at<Result>(depth: Int, _ body: () throws -> Result) rethrows -> Result {
    let outer = self.depth
    self.depth = depth
    defer { self.depth = outer }
    return try body()
  }

  // MARK: Reloading

  /// Of the plugins' files as they were last looked at; nil while nobody watches.
  private var digests: [String: String]?

  /// From now on `reload` sees what changes.
  public func watch() {
    digests = [:]
    for (name, plugin) in loaded { digests?[name] = try? plugin.folder.digest() }
  }

  /// Loads anew each plugin whose files have changed. To be called between two requests: what runs keeps the plugin
  /// that it began with, and a plugin that cannot be loaded or fails its check leaves the old one in place.
  /// - Parameter use: what is done with the plugins; where it fails with a new one, the old one stays.
  /// - Returns: the names of those that were replaced, and what is wrong with those that were not.
  public func reload(
    forUse use: () throws -> Void = {}
  ) -> (replaced: [String], kept: [(name: String, error: any Error)]) {
    var replaced: [String] = []
    var kept: [(name: String, error: any Error)] = []
    for (name, old) in loaded.sorted(by: { $0.key < $1.key }) {
      do {
        let digest = try old.folder.digest()
        guard let before = digests?[name], digest != before else { continue }
        // A broken one is reported once, and again when it has changed.
        digests?[name] = digest
        let catalog = found
        loaded[name] = try load(try PluginFolder(path: old.folder.path, origin: old.folder.origin))
        found = nil
        do {
          try use()
          replaced.append(name)
        } catch {
          (loaded[name], found) = (old, catalog)
          throw error
        }
      } catch {
        kept.append((name, error))
      }
    }
    return (replaced, kept)
  }
}

private final class CompanyWork: Work {
  private unowned let registry: PluginRegistry
  private let work: any Work
  private let depth: Int

  init(_ work: any Work, depth: Int, in registry: PluginRegistry) {
    self.work = work
    self.depth = depth
    self.registry = registry
  }

  func advance() throws -> [PassRequest]? {
    let outer = registry.isInCompany
    registry.isInCompany = true
    defer { registry.isInCompany = outer }
    return try registry.at(depth: depth) { try work.advance() }
  }
}

/// A call of a plugin's function: what one plugin, a script or the command line asks of another plugin.
final class PluginCall: Work {
  private unowned let registry: PluginRegistry
  /// Kept while it is called, even if the registry has a newer one by now.
  private let plugin: Plugin
  private let call: ScriptCall
  private let depth: Int
  /// Sessions that the call has made; nil where they are not noted.
  fileprivate(set) var madeSessions: [ScriptContext.WeakSession]?

  fileprivate init(
    _ plugin: Plugin, _ function: LuaReference, _ arguments: [LuaValue], depth: Int, in registry: PluginRegistry
  ) {
    self.plugin = plugin
    self.registry = registry
    self.depth = depth
    call = ScriptCall(function, arguments, in: plugin.state)
  }

  /// See `ScriptCall`.
  var sharers: () -> Int {
    get { call.sharers }
    set { call.sharers = newValue }
  }

  /// - Throws: as `LuaState.call`.
  func advance() throws -> [PassRequest]? {
    // Others of the plugin's calls may be under way: each has what it made.
    swap(&madeSessions, &plugin.context.madeSessions)
    defer { swap(&madeSessions, &plugin.context.madeSessions) }
    return try registry.at(depth: depth) { try call.advance() }
  }

  /// What the function returned.
  var results: [LuaValue] { call.results }
}
