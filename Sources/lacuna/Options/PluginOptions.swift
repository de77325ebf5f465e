import ArgumentParser
import LacunaEngine
import LacunaScript

/// Which plugins there are.
struct PluginOptions: ParsableArguments {
  @Option(
    name: .customLong("plugin"),
    help: ArgumentHelp(
      "A plugin's folder, before those that are installed; may be given several times.", valueName: "path"))
  var given: [String] = []

  func search() throws(LacunaError) -> PluginSearch { try PluginPlaces.search(given: given) }
}
