import ArgumentParser
import LacunaEngine
import LacunaScript

/// `lacuna doc`.
struct DocVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doc",
    abstract: "The reference of the Lua API, sampler stages and plugins.",
    discussion: """
        lacuna doc session:generate
        lacuna doc topk
        lacuna doc min_p
        lacuna doc beam

      Without a name, everything in a line each. A name that is none is looked for in the texts. A plugin's name shows \
      what it provides.
      """)

  @Argument(help: "A function, a type, a native sampler stage, or a plugin; \"stages\" lists the native stages.")
  var name: String?

  @Option(help: ArgumentHelp("Write the whole reference as Markdown pages instead.", valueName: "folder"))
  var pages: String?

  @OptionGroup var plugins: PluginOptions

  func run() throws {
    let reference = try APIReference.installed()
    var out = StandardOutput()
    if let pages {
      try ReferencePages(reference).write(to: pages)
    } else if let name {
      try out.line(try text(of: name, reference))
    } else {
      for line in reference.index { try out.line(line) }
    }
    try out.flush()
  }

  func validate() throws {
    if name != nil, pages != nil { throw ValidationError("--pages goes without a name") }
  }

  private func text(of name: String, _ reference: APIReference) throws -> String {
    if name == "stages" { return reference.stages.joined(separator: "\n") }
    let found = reference.help(name)
    if !found.isEmpty { return found.joined(separator: "\n\n") }
    let (registry, folder): (PluginRegistry, PluginFolder)
    do throws(LacunaError) {
      (registry, folder) = try Plugin.find(name, plugins)
    } catch {
      guard error.code == .notFound else { throw error }
      let mentions = reference.mentions(of: name)
      guard mentions.isEmpty else { return mentions.joined(separator: "\n") }
      throw LacunaError(.notFound, "\(name): neither in the reference nor a plugin\(reference.hint(name))")
    }
    return try Plugin.page(of: folder, registry)
  }
}
