import ArgumentParser
import LacunaEngine
import LacunaEval

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

  @Option(help: ArgumentHelp("The retrained model's eval_log_aggregated.json.", valueName: "file"))
  var referenceLog: String?

  @Option(help: ArgumentHelp("Write the log files that TOFU's tools read into this folder.", valueName: "folder"))
  var logs: String?

  @Flag(help: "Print one JSON object.")
  var json = false

  func run() throws {
    let reference = try referenceLog.map { (path) throws(LacunaError) in try TOFULog(contentsOf: path) }
    let comparison = try TOFUComparison(
      try ResultStore(path: path, .read), reference: reference, scoring: scoring.scoring)
    if let logs { try comparison.write(to: logs, scoring: scoring.scoring) }
    var out = StandardOutput()
    try out.line(json ? comparison.json : comparison.table)
    try out.flush()
  }
}
