import ArgumentParser
import LacunaEngine
import LacunaScript

/// `lacuna run NAME`, where the name is a plugin's pipeline: its flags come from its input schema, so they are taken
/// out of the command line before the rest is parsed.
struct PluginPipeline: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "run", abstract: "Run a plugin's pipeline.")

  @Argument(help: "A pipeline's name: ask, or plugin/ask.")
  var name: String

  @OptionGroup var model: ModelOptions
  @OptionGroup var plugins: PluginOptions

  @Option(help: ArgumentHelp("The same seed gives the same text.", valueName: "n"))
  var seed: UInt64 = 0

  @OptionGroup var tracing: TraceOptions

  @Flag(help: "Print the output as one JSON object.")
  var json = false

  /// Whether the words are `run NAME ...` with a name that is no file.
  static func accepts(_ words: [String]) -> Bool {
    guard words.count > 1, words[0] == "run" else { return false }
    let name = words[1]
    // The folder of a plugin that is being written may lie right here, under its name.
    return !name.hasPrefix("-") && !name.hasSuffix(".lua") && (!fileExists(name) || isDirectory(name))
  }

  /// - Parameter words: "run", the name, and flags.
  /// - Throws: `notFound` where neither a file nor a pipeline has the name.
  static func main(_ words: [String]) throws {
    let (name, arguments) = (words[1], Array(words.dropFirst(2)))
    var search = try PluginPlaces.search(given: given(arguments))
    // A plugin that changed is refused when it runs, not when it is looked at.
    search.lock = nil
    var environment = ScriptEnvironment { _ in
      throw LacunaError(.unsupported, "no model is loaded while a pipeline is looked up")
    }
    environment.plugins = search
    let registry = PluginRegistry(environment)
    guard let found = try registry.catalog().find(.pipeline, name) else {
      let names = try registry.catalog().names(of: .pipeline)
      throw LacunaError(
        .notFound,
        "\(name): no such file, and no plugin has a pipeline of that name"
          + NearestName.hint(name, in: try registry.catalog().names(of: .pipeline, short: true))
          + (names.isEmpty ? "" : "; there are \(names.joined(separator: ", "))"))
    }
    let pipeline = try registry.pipeline(named: name).definition
    let flags = PipelineFlags(pipeline.input)
    if arguments.contains("--help") || arguments.contains("-h") {
      return print(
        """
        OVERVIEW: \(pipeline.summary ?? "The pipeline \(found.plugin.name)/\(found.name).")

        INPUT:
        \(flags.help)

        \(helpMessage())
        """)
    }
    let (input, rest) = try flags.split(arguments)
    let command: PluginPipeline
    do {
      command = try parse([name] + rest)
    } catch {
      guard let word = rest.first(where: { !flags.hint($0).isEmpty }) else { throw error }
      throw LacunaError(.invalidArgument, "\(word): no such flag\(flags.hint(word))")
    }
    try flags.requireAll(input)
    try command.run(input)
  }

  private func run(_ input: JSON) throws {
    var environment = try ScriptSupport.environment(model, seed: seed, plugins: plugins)
    tracing.apply(to: &environment)
    let request: JSON = ["name": .string(name), "input": input, "json": .bool(json)]
    try ScriptSupport.run(own: Self.source, named: "pipeline", request, environment: environment)
  }

  /// --plugin's values, which are needed before anything can be parsed.
  private static func given(_ words: [String]) -> [String] {
    var paths: [String] = []
    for (index, word) in words.enumerated() {
      if word == "--plugin", index + 1 < words.count { paths.append(words[index + 1]) }
      if word.hasPrefix("--plugin=") { paths.append(String(word.dropFirst("--plugin=".count))) }
    }
    return paths
  }

  // One field alone is printed as it is, several by name.
  private static let source = """
    local lacuna <const> = require "lacuna"
    local request <const> = assert(lacuna.json.decode(arg[1]))
    local output <const> = assert(lacuna.pipeline(request.name, request.input))
    if request.json then return lacuna.write(lacuna.json.encode(output), "\\n") end
    local names = {}
    for name in pairs(output) do names[#names + 1] = name end
    table.sort(names)
    local function text(value) return type(value) == "string" and value or lacuna.json.encode(value) end
    if #names == 1 then return lacuna.write(text(output[names[1]]), "\\n") end
    for _, name in ipairs(names) do lacuna.write(name, ": ", text(output[name]), "\\n") end
    """
}
