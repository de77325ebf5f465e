/// What a sandboxed script may do and use up. A state that is made with one has the sandbox's libraries, frozen globals,
/// and memory of its own; see docs/limits.md.
public struct SandboxPolicy: Sendable {
  /// As messages call the script: a plugin's name, or a file's.
  public var name: String
  /// Where a capability is granted, for the message that says it was not: "plugins/NAME/plugin.json", "--grant".
  public var grantPlace: GrantPlace = .manifest
  public var capabilities: Set<Capability> = []
  /// Where relative paths begin, the script's and those of capabilities; nil for the working directory.
  public var folder: String?
  /// Bytes that Lua, its vectors and what it passes to the host may hold.
  public var memoryBytes = 64 << 20
  /// Processor time of one callback, such as a sampler stage's `apply`; nil for no limit.
  public var stepMilliseconds: Int? = 1000
  /// Time of one call, such as a pipeline's `run`; nil for no limit.
  public var callMilliseconds: Int? = 600_000
  /// Tokens that a script may have evaluated; nil for no limit.
  public var tokens: Int?
  /// Bytes of keys, values and logits that its sessions may hold; nil for no limit.
  public var kvBytes: Int? = 2 << 30
  /// Bytes that it may print and log; what comes after is left out, and that is said.
  public var outputBytes = 64 << 10
  /// Bytes of one source text.
  public var sourceBytes = 64 << 10

  public enum GrantPlace: Sendable {
    case manifest, commandLine
  }

  public init(name: String) { self.name = name }

  /// Bytes that one call may pass to the host or back: the host's copies of them are not on the script's account.
  var crossingBytes: Int { min(max(memoryBytes / 16, 256 << 10), memoryBytes) }

  func allows(_ capability: Capability) -> Bool { capabilities.contains(capability) }

  /// - Throws: `denied`, with the line to add.
  func check(_ capability: Capability, for function: String) throws {
    if !allows(capability) { throw denied([capability], function) }
  }

  /// A model's handle is of use with any of the capabilities about models.
  func checkModel() throws {
    if capabilities.isDisjoint(with: Capability.model) { throw denied([.modelGenerate], "lacuna.model") }
  }

  /// The path as the host is to open it.
  /// - Throws: `denied` unless a granted folder holds the path, which is taken as it is written: no "..", no links
  ///   looked up.
  func resolve(_ path: String, writing: Bool, for function: String) throws -> String {
    let parts = path.split(separator: "/").filter { $0 != "." }
    let isInside = capabilities.contains { granted in
      let folder: String
      switch (granted, writing) {
      case (.readFiles(let name), false), (.writeFiles(let name), true): folder = name
      default: return false
      }
      let folders = folder.split(separator: "/").filter { $0 != "." }
      return folder.hasPrefix("/") == path.hasPrefix("/") && parts.starts(with: folders)
    }
    guard isInside, !parts.contains("..") else {
      let above = parts.dropLast().joined(separator: "/")
      let folder = path.hasPrefix("/") ? "/" + above : above.isEmpty ? "." : above
      throw denied([writing ? .writeFiles(folder) : .readFiles(folder)], function)
    }
    return path.hasPrefix("/") ? path : folder.map { "\($0)/\(path)" } ?? path
  }

  private func denied(_ missing: [Capability], _ function: String) -> HostFault {
    let names = missing.map(\.description)
    let what = "'\(function)' needs the capability \"\(names.joined(separator: "\", \""))\""
    switch grantPlace {
    case .commandLine:
      return .error(code: "denied", message: what + names.map { "; run with --grant \($0)" }.joined())
    case .manifest:
      let all = (capabilities.map(\.description) + names).sorted().map { "\"\($0)\"" }.joined(separator: ", ")
      return .error(code: "denied", message: "\(what); in plugin.json write \"capabilities\": [\(all)]")
    }
  }
}

extension SandboxPolicy {
  /// What a plugin's manifest grants, and its limits.
  init(_ plugin: PluginFolder) {
    self.init(name: "plugin \(plugin.name)")
    folder = plugin.path
    capabilities = Set(plugin.manifest.capabilities.compactMap { Capability($0) })
    let limits = plugin.manifest.limits
    memoryBytes = limits.memoryMB.map { $0 << 20 } ?? memoryBytes
    stepMilliseconds = limits.stepMS ?? stepMilliseconds
    callMilliseconds = limits.callMS ?? callMilliseconds
    tokens = limits.tokens ?? tokens
    kvBytes = limits.kvMB.map { $0 << 20 } ?? kvBytes
  }
}
