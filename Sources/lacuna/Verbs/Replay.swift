import ArgumentParser
import LacunaEngine
import LacunaScript

/// `lacuna replay`.
struct ReplayVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay",
    abstract: "Run a recorded generation again and compare it bit for bit.",
    discussion: """
        lacuna generate --prompt "Once" --seed 7 --json > run.json
        lacuna replay run.json

      The file holds one result as JSON, with its "repro": of `lacuna generate --json`, or a result of session:generate \
      that a script encoded. Text, token ids and log-probabilities are compared, and what differs in the circumstances \
      (model, kernels, plugins) is said. Exits with 1 if a result differs.
      """)

  @Argument(help: "A file; \"-\" reads standard input.")
  var file: String

  @Option(name: [.short, .long], help: "Another model than the recorded one: a name, a directory or a GGUF file.")
  var model: String?

  @Option(help: ArgumentHelp("Threads (default: one for each physical core).", valueName: "n"))
  var threads: Int?

  @OptionGroup var plugins: PluginOptions

  func run() throws {
    let text =
      file == "-"
      ? try readStandardInput() : String(decoding: try readFile(file, limit: 64 << 20), as: UTF8.self)
    let recorded = try RecordedResult(json: text, file: file == "-" ? "standard input" : file)
    var options = recorded.engineOptions
    options.threadCount = threads
    // The recorded place, if there is still a model; else its name.
    let word = model ?? (fileExists(recorded.modelPath) ? recorded.modelPath : recorded.modelName)
    let engine = try ModelOptions.load(try ModelChoice.resolve(word), options: options)
    var environment = ScriptEnvironment { _ in engine }
    environment.plugins = try plugins.search()
    let report = try Replay(recorded).run(environment)
    var out = StandardOutput()
    for (title, findings) in [("", report.circumstances), ("\n", report.results)] {
      try out.write(title)
      for finding in findings {
        try out.line("\(finding.isSame ? "same   " : "DIFFERS")  \(finding.subject.padded(16))  \(finding.detail)")
      }
    }
    try out.flush()
    if !report.isSame { throw ExitCode.failure }
  }

  func validate() throws {
    if let threads, !(1...256).contains(threads) {
      throw ValidationError("--threads: expected 1 to 256, found \(threads)")
    }
  }
}
