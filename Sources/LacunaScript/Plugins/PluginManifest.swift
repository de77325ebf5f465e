public import LacunaEngine

/// What `plugin.json` says of a plugin: read by the host without running Lua.
public struct PluginManifest: Sendable, Equatable {
  /// The kinds of things that a plugin can provide, as its Lua table calls them (`samplers`) and as names do
  /// (`sampler:min_p`).
  public enum Kind: String, Sendable, CaseIterable {
    case sampler, decoder, hooks, pipeline, probe, template, tool

    var tableKey: String { self == .hooks ? "hooks" : rawValue + "s" }
  }

  /// "sampler:min_p". A plugin has at most one set of hooks, which is called as the plugin.
  public struct Provision: Sendable, Hashable {
    public let kind: Kind
    public let name: String
  }

  /// What a call of the plugin may use up; nil where the manifest sets no limit.
  public struct Limits: Sendable, Equatable {
    public var memoryMB: Int?
    public var kvMB: Int?
    public var stepMS: Int?
    public var callMS: Int?
    public var tokens: Int?
  }

  public let name: String
  public let version: Version
  public let summary: String
  public let license: String?
  /// The file that returns `lacuna.plugin { ... }`, inside the plugin's folder.
  public let entry: String
  public let provides: [Provision]
  /// Other plugins, with the versions that will do.
  public let requires: [String: VersionRange]
  public let capabilities: [String]
  public let limits: Limits

  public static let fileName = "plugin.json"
  private static let greatestSize = 1 << 16
  private static let fields = [
    "name", "version", "api", "runtime", "description", "license", "entry", "provides", "requires", "capabilities",
    "limits",
  ]
  private static let limitFields = ["memory_mb", "kv_mb", "step_ms", "call_ms", "tokens"]
  private static let capabilities = [
    "model.generate", "model.score", "model.logits", "model.hidden", "model.patch", "kv.save", "clock",
  ]
  private static let capabilityPrefixes = ["fs.read:", "fs.write:", "env:"]

  /// - Parameter folder: whose last component the manifest's name must be.
  /// - Throws: `unreadable` or `notFound`; `malformed` or `unsupported` naming file and field.
  public init(folder: String) throws(LacunaError) {
    let path = "\(folder)/\(Self.fileName)"
    let fields = try JSONFields(try readFile(path, limit: Self.greatestSize), file: path)
    try self.init(fields)
    // "." and ".." have a name of their own.
    let folderName = PluginPlaces.resolved(folder)?.split(separator: "/").last.map(String.init) ?? folder
    guard folderName == name else {
      throw fields.refusal("name", "the folder's name, \"\(folderName)\"", "\"\(name)\"")
    }
  }

  init(_ json: JSONFields) throws(LacunaError) {
    for field in json.names where !Self.fields.contains(field) {
      throw LacunaError(
        .malformed, "\(json.file): unknown field \"\(field)\"\(NearestName.hint(field, in: Self.fields))")
    }
    name = try json.requiredString("name")
    guard Self.isKebabCase(name) else {
      throw json.refusal("name", "lower-case words joined by \"-\"", "\"\(name)\"")
    }
    let text = try json.requiredString("version")
    guard let version = Version(text) else { throw json.refusal("version", "MAJOR.MINOR.PATCH", "\"\(text)\"") }
    self.version = version
    let api = try json.required("api", in: 1...1_000_000)
    guard api <= LacunaScript.apiLevel else {
      throw json.refusal("api", "at most \(LacunaScript.apiLevel), which this version offers", "\(api)", .unsupported)
    }
    if let range = try json.range("runtime", json.string("runtime")),
      let ours = Version(LacunaScript.version), !range.contains(ours)
    {
      throw json.refusal("runtime", "a range that holds this version, \(ours)", "\"\(range)\"", .unsupported)
    }
    summary = try json.string("description") ?? ""
    license = try json.string("license")
    entry = try json.string("entry") ?? "init.lua"
    // What is hidden is no part of the digest.
    guard Self.isInside(entry), !entry.split(separator: "/").contains(where: { $0.hasPrefix(".") }) else {
      throw json.refusal("entry", "a file inside the plugin's folder that is not hidden", "\"\(entry)\"")
    }
    provides = try Self.provisions(json)
    requires = try Self.requirements(json)
    capabilities = try json.strings("capabilities") ?? []
    for capability in capabilities { try Self.check(capability, json) }
    limits = try Self.limits(json)
  }

  private static func provisions(_ json: JSONFields) throws(LacunaError) -> [Provision] {
    var provisions: [Provision] = []
    for text in try json.strings("provides") ?? [] {
      let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      guard let kind = Kind(rawValue: parts[0]) else {
        let kinds = Kind.allCases.map(\.rawValue)
        throw json.refusal(
          "provides", "KIND:NAME with a kind of \(kinds.joined(separator: ", "))",
          "\"\(text)\"\(NearestName.hint(parts[0], in: kinds))")
      }
      guard kind == .hooks ? parts.count == 1 : parts.count == 2 && isIdentifier(parts[1]) else {
        throw json.refusal("provides", kind == .hooks ? "\"hooks\"" : "\"\(kind.rawValue):NAME\"", "\"\(text)\"")
      }
      let provision = Provision(kind: kind, name: parts.count == 2 ? parts[1] : "")
      guard !provisions.contains(provision) else { throw json.refusal("provides", "each once", "\"\(text)\" twice") }
      provisions.append(provision)
    }
    guard !provisions.isEmpty else { throw json.refusal("provides", "what the plugin provides", "nothing") }
    return provisions
  }

  private static func requirements(_ json: JSONFields) throws(LacunaError) -> [String: VersionRange] {
    guard let object = try json.object("requires") else { return [:] }
    var ranges: [String: VersionRange] = [:]
    for name in object.names { ranges[name] = try object.range(name, object.string(name)) }
    return ranges
  }

  private static func limits(_ json: JSONFields) throws(LacunaError) -> Limits {
    guard let object = try json.object("limits") else { return Limits() }
    for field in object.names where !limitFields.contains(field) {
      throw LacunaError(
        .malformed, "\(json.file): limits: unknown field \"\(field)\"\(NearestName.hint(field, in: limitFields))")
    }
    let range = 1...1_000_000_000
    return Limits(
      memoryMB: try object.integer("memory_mb", in: range), kvMB: try object.integer("kv_mb", in: range),
      stepMS: try object.integer("step_ms", in: range), callMS: try object.integer("call_ms", in: range),
      tokens: try object.integer("tokens", in: range))
  }

  private static func check(_ capability: String, _ json: JSONFields) throws(LacunaError) {
    if capabilities.contains(capability) { return }
    if let prefix = capabilityPrefixes.first(where: { capability.hasPrefix($0) }) {
      let rest = String(capability.dropFirst(prefix.count))
      if prefix == "env:" ? isIdentifier(rest.lowercased()) : isInside(rest) { return }
      throw json.refusal("capabilities", "\"\(prefix)\" and a name or a folder below this one", "\"\(capability)\"")
    }
    let known = capabilities + capabilityPrefixes
    throw json.refusal(
      "capabilities", "one of \(known.joined(separator: ", "))",
      "\"\(capability)\"\(NearestName.hint(capability, in: known))")
  }

  // MARK: Names

  package static func isKebabCase(_ name: String) -> Bool {
    let isPlain = name.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 45 }
    return isPlain && !name.isEmpty && name.utf8.count <= 64 && !name.hasPrefix("-") && !name.hasSuffix("-")
  }

  /// Letters, digits, "_" and "-".
  static func isIdentifier(_ name: String) -> Bool {
    !name.isEmpty && name.utf8.count <= 64
      && name.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 45 || $0 == 95 }
  }

  /// A relative path that stays below where it starts.
  private static func isInside(_ path: String) -> Bool {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    return !path.isEmpty && !path.utf8.contains(0) && parts.allSatisfy { $0 != ".." && $0 != "" }
  }
}

extension JSONFields {
  fileprivate func requiredString(_ name: String) throws(LacunaError) -> String {
    guard let text = try string(name) else { throw refusal(name, "a string", "nothing") }
    return text
  }

  fileprivate func range(_ name: String, _ text: String?) throws(LacunaError) -> VersionRange? {
    guard let text else { return nil }
    guard let range = VersionRange(text) else {
      throw refusal(name, "a range of versions, such as \">=0.3 <0.5\" or \"^1.1\"", "\"\(text)\"")
    }
    return range
  }
}
