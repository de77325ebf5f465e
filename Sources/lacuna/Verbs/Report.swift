import ArgumentParser
import LacunaEngine
import LacunaEval
import LacunaScript

struct Report: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "The figures of a recorded evaluation.",
    discussion: """
        lacuna report run.sqlite
        lacuna report run.sqlite --truth-ratio arithmetic --json

      Figures are made from the records: no model is needed.
      """)

  @Argument(help: ArgumentHelp("A run.", valueName: "file"))
  var path: String

  @OptionGroup var scoring: ScoringOptions
  @OptionGroup var plugins: PluginOptions

  @Option(help: ArgumentHelp("The retrained model's eval_log_aggregated.json.", valueName: "file"))
  var referenceLog: String?

  @Option(help: ArgumentHelp("Write the log files that TOFU's tools read into this folder.", valueName: "folder"))
  var logs: String?

  @Flag(help: "Print one JSON object.")
  var json = false

  func run() throws {
    let reference = try referenceLog.map { (path) throws(LacunaError) in try TOFULog(contentsOf: path) }
    let store = try ResultStore(path: path, .read)
    var out = StandardOutput()
    try scriptThread {
      let registry = PluginRegistry(try ScriptSupport.environment(ModelOptions.parse([]), seed: 0, plugins: plugins))
      let result = try EvaluationResult(store, registry, reference: reference, scoring: scoring.scoring)
      if let logs { try result.writeLogs(to: logs) }
      try out.line(json ? result.json : result.text)
    }
    try out.flush()
  }
}
