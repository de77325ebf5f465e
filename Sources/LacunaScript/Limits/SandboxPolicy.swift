/// What a sandboxed script may do and use up. A state that is made with one has the sandbox's libraries, frozen globals,
/// and memory of its own; see docs/limits.md.
public struct SandboxPolicy: Sendable {
  /// As messages call the script: a plugin's name, or a file's.
  public var name: String
  /// Where a capability is granted, for the message that says it was not: "plugins/NAME/plugin.json", "--grant".
  public var grantPlace: GrantPlace = .manifest
  public var capabilities: Set<Capability> = []
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

  /// - Throws: `denied` unless a granted folder holds the path, which is taken as it is written: no "..", no links
  ///   looked up.
  public func checkPath(_ path: String, writing: Bool, for function: String) throws {
    let parts = path.split(separator: "/")
    let isInside = capabilities.contains { granted in
      let folder: String
      switch (granted, writing) {
      case (.readFiles(let name), false), (.writeFiles(let name), true): folder = name
      default: return false
      }
      let folders = folder.split(separator: "/").filter { $0 != "." }
      return folder.hasPrefix("/") == path.hasPrefix("/") && parts.filter { $0 != "." }.starts(with: folders)
    }
    if isInside, !parts.contains("..") { return }
    let folder = parts.count > 1 ? parts.dropLast().joined(separator: "/") : "."
    let full = path.hasPrefix("/") ? "/" + folder : folder
    throw denied([writing ? .writeFiles(full) : .readFiles(full)], function)
  }

  private func denied(_ missing: [Capability], _ function: String) -> HostFault {
    let names = missing.map(\.description)
    let what = "\(name): '\(function)' needs the capability \"\(names.joined(separator: "\", \""))\""
    switch grantPlace {
    case .commandLine:
      return .error(code: "denied", message: what + names.map { "; run with --grant \($0)" }.joined())
    case .manifest:
      let all = (capabilities.map(\.description) + names).sorted().map { "\"\($0)\"" }.joined(separator: ", ")
      return .error(code: "denied", message: "\(what); in plugin.json write \"capabilities\": [\(all)]")
    }
  }
}
