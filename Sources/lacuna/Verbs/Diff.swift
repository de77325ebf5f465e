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
    guard !members.isEmpty else {
      throw LacunaError(.invalidArgument, "\(first) and \(second) have no model's part in common")
    }
    if json { try out.line(JSON.object(members).text) }
    try out.flush()
  }

  /// A log counts as the model's part of a run.
  private static func logs(_ path: String) throws(LacunaError) -> [(role: ResultStore.Role, log: TOFULog)] {
    if path.hasSuffix(".json") { return [(.model, try TOFULog(contentsOf: path))] }
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
