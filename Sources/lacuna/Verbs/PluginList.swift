import ArgumentParser
import LacunaEngine
import LacunaScript

/// `lacuna plugin`: looking after plugins.
struct Plugin: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plugin",
    abstract: "List, make, check and lock plugins.",
    discussion: """
      A plugin is a folder with plugin.json and init.lua. They are looked for in this order, and the first of a name \
      wins: --plugin PATH, ./plugins (once `lacuna plugin trust` was said there), $XDG_DATA_HOME/lacuna/plugins, and \
      those that come with Lacuna.

        lacuna plugin new my-sampler && lacuna plugin check ./my-sampler
      """,
    subcommands: [
      List.self, Info.self, Doc.self, New.self, Check.self, PluginTest.self, Lock.self, Diff.self, Trust.self,
    ])

  /// A registry that loads no model.
  static func registry(_ plugins: PluginOptions, adding path: String? = nil) throws(LacunaError) -> PluginRegistry {
    var environment = ScriptEnvironment { name in
      throw LacunaError(.unsupported, "this verb loads no model")
    }
    environment.plugins = try plugins.search()
    // A plugin that has changed can be looked at all the same.
    environment.plugins.lock = nil
    if let path { environment.plugins.given.insert(path, at: 0) }
    return PluginRegistry(environment)
  }

  /// A plugin by its folder, its name or the name of something that it provides.
  static func find(_ word: String, _ plugins: PluginOptions) throws(LacunaError) -> (PluginRegistry, PluginFolder) {
    if fileExists("\(word)/\(PluginManifest.fileName)") {
      let folder = try PluginFolder(path: word, origin: .given)
      return (try registry(plugins, adding: word), folder)
    }
    let registry = try registry(plugins)
    return (registry, try registry.catalog().plugin(ofOrProviding: word))
  }

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "The plugins that are found, and what they provide.")

    @OptionGroup var plugins: PluginOptions

    @Flag(help: "Print a JSON array.")
    var json = false

    func run() throws {
      let catalog = try Plugin.registry(plugins).catalog()
      var out = StandardOutput()
      if json {
        let list = catalog.plugins.map { plugin -> JSON in
          [
            "name": .string(plugin.name), "version": .string("\(plugin.manifest.version)"),
            "path": .string(plugin.path), "origin": .string(plugin.origin.rawValue),
            "provides": .array(plugin.manifest.provides.map { .string("\($0)") }),
          ]
        }
        try out.line(JSON.array(list).text)
      } else {
        let width = catalog.plugins.map(\.name.count).max() ?? 0
        for plugin in catalog.plugins {
          try out.line(
            "\(plugin.name.padded(width))  \("\(plugin.manifest.version)".padded(7))  "
              + "\(plugin.origin.rawValue.padded(9))  \(plugin.manifest.summary)")
          try out.line("\("".padded(width))  \(plugin.manifest.provides.map { "\($0)" }.joined(separator: " "))")
        }
      }
      try out.flush()
      for plugin in catalog.shadowed {
        let winner = try catalog.plugin(named: plugin.name)
        printToStandardError("shadowed: \(plugin.path), by \(winner.path)")
      }
      for broken in catalog.broken { printToStandardError("broken: \(broken.error.message)") }
      if let untrusted = catalog.untrusted {
        printToStandardError("not looked into: \(untrusted), until `lacuna plugin trust` is said")
      }
    }
  }

  struct Trust: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Run the plugins of a folder from now on.",
      discussion: "Without this, ./plugins of a project that you have only just unpacked is not run.")

    @Argument(help: "A folder of plugins.")
    var folder = "plugins"

    func run() throws { print("trusted: \(try PluginPlaces.trust(folder))") }
  }
}
