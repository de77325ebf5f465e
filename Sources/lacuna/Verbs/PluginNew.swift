// Public: a type of LacunaScript becomes an argument.
public import ArgumentParser
import LacunaEngine
public import LacunaScript

extension Plugin {
  struct New: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Make a plugin: a working example, a test, a page, and the editor's set-up.",
      discussion: """
          lacuna plugin new cut-tail
          lacuna plugin new ask-twice --kind pipeline
        """)

    @Argument(help: "Lower-case words joined by \"-\".")
    var name: String

    @Option(help: "What it provides: sampler, decoder, hooks, pipeline, probe, template or tool.")
    var kind: PluginScaffold.Kind = .sampler

    @Option(name: [.customLong("in")], help: ArgumentHelp("Where its folder goes.", valueName: "folder"))
    var parent = "."

    func run() throws {
      let meta = ModelDirectories.plugins().map { $0 + "/meta" }
      let scaffold = PluginScaffold(name: name, kind: kind, meta: meta)
      let folder = "\(parent)/\(name)"
      try scaffold.write(to: folder)
      for file in scaffold.files { print("\(folder)/\(file.path)") }
      print("\nNow: lacuna plugin check \(folder) && lacuna plugin test \(folder)")
    }
  }

  struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Check manifests, and try what every sampler promises on made-up logits.",
      discussion: """
        A sampler makes no NaN, leaves a token, keeps what is masked masked, does the same under the same seed; its \
        forks are independent, a rewind gives its state back, and its state can be saved as JSON.
        """)

    @Argument(help: "Names or folders of plugins (default: all that are found).")
    var names: [String] = []

    @OptionGroup var plugins: PluginOptions

    func run() throws {
      var failures = 0
      let all = names.isEmpty ? try Plugin.registry(plugins).catalog().plugins.map(\.path) : names
      for name in all {
        let (registry, folder) = try Plugin.find(name, plugins)
        for finding in PluginCheck.run(folder.name, registry) {
          print("\(finding.failure == nil ? "ok  " : "FAIL") \(folder.name): \(finding.subject)")
          guard let failure = finding.failure else { continue }
          print("     \(failure)")
          failures += 1
        }
      }
      if failures > 0 { throw ExitCode.failure }
    }
  }
}

extension PluginScaffold.Kind: ExpressibleByArgument {}
