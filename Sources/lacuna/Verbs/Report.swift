import ArgumentParser
import LacunaEngine
import LacunaEval
import LacunaScript

struct Report: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "The figures of recorded evaluations, to read or to look at.",
    discussion: """
        lacuna report run.sqlite
        lacuna report simnpo.sqlite npo.sqlite -o report.html
        lacuna report run.sqlite --csv items -o items.csv
        lacuna report run.sqlite --truth-ratio arithmetic --json

      Figures are made from the records: no model is needed. They follow the profile that the runs were measured by, or the \
      one that is given. The page is one file that needs no network.
      """)

  @Argument(help: ArgumentHelp("Runs, shown side by side.", valueName: "files"))
  var paths: [String]

  @Option(
    name: .shortAndLong, help: ArgumentHelp("Write into this file: a page, if it ends in .html.", valueName: "file"))
  var output: String?

  @OptionGroup var scoring: ScoringOptions
  @OptionGroup var plugins: PluginOptions

  @Option(help: ArgumentHelp("The retrained model's eval_log_aggregated.json.", valueName: "file"))
  var referenceLog: String?

  @Option(help: ArgumentHelp("Write the log files that TOFU's tools read into this folder.", valueName: "folder"))
  var logs: String?

  @Flag(help: "Text for a terminal (the default without -o).")
  var text = false

  @Flag(help: "One JSON object.")
  var json = false

  @Option(help: ArgumentHelp("A table: items (a line a row and model) or figures.", valueName: "table"))
  var csv: Table?

  enum Table: String, ExpressibleByArgument, CaseIterable {
    case items, figures
  }

  func validate() throws {
    if paths.isEmpty { throw ValidationError("expected a run") }
    let forms = [(text, "--text"), (json, "--json"), (csv != nil, "--csv")].filter(\.0).map(\.1)
    if forms.count > 1 { throw ValidationError("\(forms.joined(separator: " and ")): give one of them") }
    if let output, forms.isEmpty, !Self.isPage(output) {
      throw ValidationError("--output: expected a name that ends in .html, or --text, --json or --csv, found \(output)")
    }
    if logs != nil, paths.count > 1 { throw ValidationError("--logs: expected one run, found \(paths.count)") }
  }

  private static func isPage(_ path: String) -> Bool { path.hasSuffix(".html") || path.hasSuffix(".htm") }

  func run() throws {
    let reference = try referenceLog.map { (path) throws(LacunaError) in try TOFULog(contentsOf: path) }
    var stores: [ResultStore] = []
    for path in paths { stores.append(try ResultStore(path: path, .read)) }
    let recorded = scoring.profile == nil ? try TOFUProfile.Name.recorded(in: stores) : nil
    var shown = ""
    // What can be said is shown, whatever cannot.
    var failures: [any Error] = []
    try scriptThread {
      let registry = PluginRegistry(try ScriptSupport.environment(ModelOptions.parse([]), seed: 0, plugins: plugins))
      let probes = try stores.map { try ProbeSummary.all(in: $0, registry) { failures.append($0) } }
      let report = try RunReport(
        stores, probes: probes, reference: reference, scoring: scoring.scoring(recorded: recorded))
      if let logs { try report.writeLogs(to: logs) }
      shown = rendered(report)
      failures += report.refusals
    }
    if let output {
      try AtomicFile.write(Array(shown.utf8), to: output)
    } else {
      var out = StandardOutput()
      try out.write(shown)
      try out.flush()
    }
    if let first = failures.first { throw first }
  }

  private func rendered(_ report: RunReport) -> String {
    if json { return report.json + "\n" }
    switch csv {
    case .items: return report.itemsCSV
    case .figures: return report.figuresCSV
    case nil: return output != nil && !text ? report.html : report.text + "\n"
    }
  }
}
