public import LacunaEngine

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Writes an evaluation as OPTML-Group's code does, so that others' tools read it: a file a task, all of them aggregated, and
/// the figures a line each. Each file appears whole or not at all.
extension TOFULog {
  /// - Parameter directory: made if it is not there; files of these names in it are replaced.
  /// - Throws: `resource` naming the file.
  public func write(
    to directory: String, scoring: TOFUScoring = TOFUScoring(), forgetQuality: TwoSampleKS? = nil
  ) throws(LacunaError) {
    if mkdir(directory, 0o755) != 0, errno != EEXIST {
      throw LacunaError(.resource, "\(directory): cannot create: \(String(cString: strerror(errno)))")
    }
    var aggregated: [(String, JSONText)] = []
    for task in TOFUTask.allCases {
      guard let rows = tasks[task] else { continue }
      let columns = Self.columns(rows)
      aggregated.append((task.logName, columns))
      try AtomicFile.write(columns.rendered(), to: "\(directory)/\(task.logName)")
    }
    try AtomicFile.write(JSONText.object(aggregated).rendered(), to: "\(directory)/eval_log_aggregated.json")
    let lines = Self.statistics(TOFUFigures(self, scoring: scoring), forgetQuality)
    try AtomicFile.write(Array(lines.utf8), to: "\(directory)/aggregate_stat.txt")
  }

  private static func columns(_ rows: [TOFURow]) -> JSONText {
    func column(_ value: (TOFURow) -> JSONText) -> JSONText { .array(rows.map(value)) }
    func sum(_ loss: TOFURow.Loss) -> JSONText { loss.count.map { .finite(loss.average * Double($0)) } ?? .null }
    func count(_ loss: TOFURow.Loss) -> JSONText { loss.count.map(JSONText.integer) ?? .null }
    var columns: [(String, JSONText)] = [
      ("avg_gt_loss", column { .finite($0.answer.average) }), ("gt_loss", column { sum($0.answer) }),
      ("num_token_gt", column { count($0.answer) }), ("rouge1_recall", column { .finite($0.rouge1Recall) }),
      ("rougeL_recall", column { .finite($0.rougeLRecall) }),
      ("average_perturb_loss", column { .array($0.perturbed.map { .finite($0.average) }) }),
      ("avg_paraphrased_loss", column { .finite($0.paraphrase.average) }),
      ("paraphrased_loss", column { sum($0.paraphrase) }), ("perturb_loss", column { .array($0.perturbed.map(sum)) }),
      ("num_token_paraphrased", column { count($0.paraphrase) }),
      ("num_token_perturb", column { .array($0.perturbed.map(count)) }),
    ]
    if rows.allSatisfy({ $0.generated != nil }) {
      columns.append(
        (
          "generated_text",
          .array(
            rows.compactMap(\.generated).map { .array([.string($0.prompt), .string($0.text), .string($0.reference)]) })
        ))
    }
    return .object(columns)
  }

  /// `key: value` lines in the published order; what was not measured is left out.
  private static func statistics(_ figures: TOFUFigures, _ quality: TwoSampleKS?) -> String {
    var lines: [(String, Double)] = []
    for task in TOFUTask.utilityTasks + [.forget] {
      guard let row = figures.tasks[task] else { continue }
      lines += [
        ("\(task.title) ROUGE", row.rougeLRecall), ("\(task.title) Probability", row.probability),
        ("\(task.title) Truth Ratio", row.truthRatio),
      ]
    }
    if let utility = figures.modelUtility { lines.append(("Model Utility", utility)) }
    if let quality {
      lines += [
        ("Forget Quality", quality.p), ("KS Test PVal Forget", quality.p), ("KS Test Forget", quality.distance),
      ]
    }
    return lines.map { "\($0.0): \($0.1)\n" }.joined()
  }
}
