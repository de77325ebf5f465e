public import LacunaEngine

/// The files of a new plugin: small, working, and passing its own check and test.
public struct PluginScaffold: Sendable {
  public enum Kind: String, Sendable, CaseIterable {
    case sampler, decoder, hooks, pipeline, probe, template, tool
  }

  public let name: String
  public let kind: Kind
  /// The folder with the stubs that editors complete from; nil if there is none.
  public let meta: String?

  public init(name: String, kind: Kind, meta: String?) {
    self.name = name
    self.kind = kind
    self.meta = meta
  }

  private var identifier: String { name.split(separator: "-").joined(separator: "_") }
  private var sample: PluginSample { PluginSample(kind, name: name, identifier: identifier) }

  /// Paths below the plugin's folder, and what they hold.
  public var files: [(path: String, text: String)] {
    [
      ("plugin.json", manifest), ("init.lua", entry), ("test.lua", test), ("README.md", page),
      (".luarc.json", editor),
    ]
  }

  private var manifest: String {
    let provides = kind == .hooks ? "hooks" : "\(kind.rawValue):\(identifier)"
    let capabilities = sample.capability.map { "\"\($0)\"" } ?? ""
    return """
      {
        "name": "\(name)",
        "version": "0.1.0",
        "api": \(LacunaScript.apiLevel),
        "description": "What it is for, in a line",
        "license": "MIT",
        "provides": ["\(provides)"],
        "capabilities": [\(capabilities)]
      }

      """
  }

  private var page: String {
    return """
      # \(name)

      What it does, and where the idea comes from.

          \(sample.use) --plugin .

      """
  }

  private var editor: String {
    let library = meta.map { JSONCodec.line(.string($0)) } ?? ""
    return """
      {
        "runtime.version": "Lua 5.4",
        "workspace.library": [\(library)],
        "workspace.checkThirdParty": false
      }

      """
  }

  private var entry: String {
    "local lacuna <const> = require \"lacuna\"\n\nreturn lacuna.plugin {\n\(sample.entry)\n}\n"
  }

  private var test: String {
    let head = sample.test.contains("lacuna.") ? "local lacuna <const> = require \"lacuna\"\n\n" : ""
    let test = "---@param t lacuna.test\n\(sample.test)"
    let indented = test.split(separator: "\n", omittingEmptySubsequences: false).map { "  \($0)" }
    return "\(head)return {\n\(indented.joined(separator: "\n"))\n}\n"
  }

  /// The folders that a plugin's .luarc.json has the editor look into; none where there is no such file.
  public static func libraries(ofEditorFileIn folder: String) -> [String] {
    guard let bytes = try? ScriptFile.read("\(folder)/.luarc.json"),
      let value = try? JSONValue.parse(bytes, file: ".luarc.json"), case .object(let members) = value,
      case .array(let list)? = members["workspace.library"]
    else { return [] }
    return list.compactMap { if case .string(let path) = $0 { path } else { nil } }
  }

  /// - Throws: `invalidArgument` for a name that is none; `resource` where the folder is there or cannot be made.
  public func write(to folder: String) throws(LacunaError) {
    guard PluginManifest.isKebabCase(name) else {
      throw LacunaError(.invalidArgument, "plugin name: expected lower-case words joined by \"-\", found \"\(name)\"")
    }
    guard !fileExists(folder) else { throw LacunaError(.resource, "\(folder): exists already") }
    try makeFolder(folder)
    for file in files { try writeFile(file.text, to: "\(folder)/\(file.path)") }
  }
}
