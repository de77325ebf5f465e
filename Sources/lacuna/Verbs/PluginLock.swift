import ArgumentParser
import LacunaEngine
import LacunaScript

extension Plugin {
  struct Lock: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Write plugins.lock: the versions and contents that are meant.",
      discussion: """
        In a folder with plugins.lock, a plugin that is not what it was then is refused. With names, the entries of those \
        are written anew, and the others stay.
        """)

    @Argument(help: "Names of plugins (default: all that are found, and no others).")
    var names: [String] = []

    @OptionGroup var plugins: PluginOptions

    func run() throws {
      let catalog = try Plugin.registry(plugins).catalog()
      let folders = names.isEmpty ? catalog.plugins : try names.map { try catalog.plugin(named: $0) }
      let known = names.isEmpty ? nil : try PluginLock.read()
      let lock = try PluginLock(folders, beside: known)
      try writeFile(lock.text, to: PluginLock.fileName)
      print("\(PluginLock.fileName): \(lock.entries.count) plugins")
    }
  }

  struct Diff: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "How plugins differ from plugins.lock, capabilities above all.",
      discussion: "Ends with 1 where something differs.")

    @OptionGroup var plugins: PluginOptions

    func run() throws {
      let lock = try PluginLock(path: PluginLock.fileName)
      let catalog = try Plugin.registry(plugins).catalog()
      var differs = false
      for plugin in catalog.plugins {
        for change in try lock.changes(of: plugin) ?? [] {
          print("\(plugin.name): \(change)")
          differs = true
        }
      }
      for name in lock.entries.keys.sorted() where !catalog.plugins.contains(where: { $0.name == name }) {
        print("\(name): not found")
        differs = true
      }
      if differs { throw ExitCode.failure }
    }
  }
}
