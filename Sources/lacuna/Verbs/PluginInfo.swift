import ArgumentParser
import LacunaEngine
import LacunaScript

extension Plugin {
  struct Info: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "What a plugin is, and what it asks for.")

    @Argument(help: "A plugin's name or folder, or the name of what it provides.")
    var plugin: String

    @OptionGroup var plugins: PluginOptions

    func run() throws {
      let (_, folder) = try Plugin.find(plugin, plugins)
      let manifest = folder.manifest
      var rows = [
        ("name", manifest.name), ("version", "\(manifest.version)"), ("about", manifest.summary),
        ("license", manifest.license ?? "none given"), ("path", folder.path), ("found", folder.origin.rawValue),
        ("sha256", try folder.digest()),
      ]
      let page = "\(folder.path)/README.md"
      if fileExists(page) { rows.append(("page", page)) }
      rows += manifest.provides.map { ("provides", "\($0)") }
      rows += manifest.requires.sorted { $0.key < $1.key }.map { ("requires", "\($0.key) \($0.value)") }
      rows += manifest.capabilities.map { ("capability", $0) }
      let limits = manifest.limits
      for (name, value) in [
        ("memory_mb", limits.memoryMB), ("kv_mb", limits.kvMB), ("step_ms", limits.stepMS),
        ("call_ms", limits.callMS), ("tokens", limits.tokens),
      ] {
        if let value { rows.append(("limit", "\(name) \(value)")) }
      }
      for (name, text) in rows { print("\(name.padded(10))  \(text)") }
    }
  }

  struct Doc: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "A reference page of what a plugin provides, from its schemas, as Markdown.")

    @Argument(help: "A plugin's name or folder, or the name of what it provides.")
    var plugin: String

    @OptionGroup var plugins: PluginOptions

    func run() throws {
      let (registry, folder) = try Plugin.find(plugin, plugins)
      print(try Plugin.page(of: folder, registry))
    }
  }

  /// What a plugin provides, from its schemas, as Markdown.
  static func page(of folder: PluginFolder, _ registry: PluginRegistry) throws -> String {
    var text = "# \(folder.name) \(folder.manifest.version)\n\n\(folder.manifest.summary)"
    for entry in try PluginReference.entries(folder.name, registry) {
      text += "\n\n## \(entry.kind.rawValue) \(entry.name)"
      if let summary = entry.summary { text += "\n\n\(summary)" }
      guard !entry.parameters.isEmpty else { continue }
      text += "\n\n| name | takes | default | |\n|---|---|---|---|"
      for parameter in entry.parameters {
        let standard = parameter.defaultText ?? (parameter.isRequired ? "required" : "none")
        text += "\n| `\(parameter.name)` | \(parameter.expectation) | \(standard) | \(parameter.meaning ?? "") |"
      }
    }
    return text
  }
}
