import ArgumentParser
import LacunaEngine
import LacunaEval

struct Diff: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "How far two evaluations are apart.",
    discussion: """
        lacuna diff run.sqlite run-f32.sqlite
        lacuna diff run.sqlite published/eval_log_aggregated.json

      For each task: the differences of losses per token (root mean square and largest, in nats), and how many generated \
      texts are the same.
      """)

  @Argument(help: "A run, or an aggregated log.")
  var first: String

  @Argument(help: "Another.")
  var second: String

  @Flag(help: "Print one JSON object.")
  var json = false

  func run() throws {
    let (a, b) = (try Self.logs(first), try Self.logs(second))
    var out = StandardOutput()
    var members: [(key: String, value: JSON)] = []
    for (role, log) in a {
      guard let other = b.first(where: { $0.role == role })?.log else { continue }
      let difference = try RunDifference(log, other)
      members.append((role.rawValue, .object(difference.tasks.map { ($0.task.logName, Self.record($0)) })))
      if !json { try print(difference, role, to: &out) }
    }
    let probes = try probeDifferences()
    if !json { for (series, difference) in probes { try print(difference, series, to: &out) } }
    guard !members.isEmpty || !probes.isEmpty else {
      throw LacunaError(.invalidArgument, "\(first) and \(second) have no model's part in common")
    }
    if !probes.isEmpty { members.append(("probes", .array(probes.map { Self.record($0.difference, $0.series) }))) }
    if json { try out.line(JSON.object(members).text) }
    try out.flush()
  }

  private func probeDifferences() throws -> [(series: ResultStore.Series, difference: ProbeDifference)] {
    if [first, second].contains(where: Self.isLog) { return [] }
    let (a, b) = (try ResultStore(path: first, .read), try ResultStore(path: second, .read))
    let others = try b.series()
    var differences: [(series: ResultStore.Series, difference: ProbeDifference)] = []
    for series in try a.series() where series.probe != "tofu" && others.contains(series) {
      differences.append(
        (
          series,
          try ProbeDifference(
            try a.records(of: series), try b.records(of: series), files: (a: first, b: second))
        ))
    }
    return differences
  }

  private static func isLog(_ path: String) -> Bool { path.hasSuffix(".json") }

  /// A log counts as the model's part of a run.
  private static func logs(_ path: String) throws(LacunaError) -> [(role: ResultStore.Role, log: TOFULog)] {
    if isLog(path) { return [(.model, try TOFULog(contentsOf: path))] }
    let store = try ResultStore(path: path, .read)
    var logs: [(role: ResultStore.Role, log: TOFULog)] = []
    for role in ResultStore.Role.allCases {
      if let log = try store.tofuLog(of: role) { logs.append((role, log)) }
    }
    return logs
  }

  private static func record(_ task: RunDifference.Task) -> JSON {
    [
      "rows": .integer(task.rowCount), "rms": .number(task.rootMeanSquare), "largest": .number(task.largest),
      "equal_texts": .integer(task.equalTextCount), "texts": .integer(task.generatedCount),
    ]
  }

  private static func record(_ difference: ProbeDifference, _ series: ResultStore.Series) -> JSON {
    [
      "probe": .string(series.probe), "role": .string(series.role.rawValue),
      "format": series.format.isEmpty ? .null : .string(series.format),
      "rows": .integer(difference.rowCount), "equal_records": .integer(difference.equalCount),
      "rms": .number(difference.rootMeanSquare), "largest": .number(difference.largest),
    ]
  }

  private func print(
    _ difference: ProbeDifference, _ series: ResultStore.Series, to out: inout StandardOutput
  ) throws(LacunaError) {
    let name = [series.probe, series.role.rawValue, series.format].filter { !$0.isEmpty }.joined(separator: ", ")
    try out.line(
      "\(name): \(difference.equalCount) of \(difference.rowCount) records equal, RMS \(fixed(difference.rootMeanSquare, 5)), "
        + "largest \(fixed(difference.largest, 5))")
  }

  private func print(
    _ difference: RunDifference, _ role: ResultStore.Role, to out: inout StandardOutput
  ) throws(LacunaError) {
    try out.line("\(role.rawValue.padded(16))    rows       RMS   largest   equal texts")
    for task in difference.tasks {
      try out.line(
        "  \(task.task.title.padded(14))\(String(task.rowCount).aligned(8))\(fixed(task.rootMeanSquare, 5).aligned(10))"
          + "\(fixed(task.largest, 5).aligned(10))   \(task.equalTextCount) of \(task.generatedCount)")
    }
  }
}
