package import LacunaEngine

/// What one run says: TOFU's figures, and the summaries of plugins' probes.
package struct RunResult: Sendable {
  /// nil where TOFU was not measured.
  package let tofu: TOFUComparison?
  package let probes: [ProbeSummary]

  /// - Parameter reference: the retrained model's log, for a run that measured none.
  /// - Throws: as `TOFUComparison`, also for a run without any measurements.
  package init(
    _ store: ResultStore, probes: [ProbeSummary], reference: TOFULog?, scoring: TOFUScoring
  ) throws(LacunaError) {
    self.probes = probes
    let hasTOFU = try store.series().contains { $0.probe == ResultStore.Series.tofu(.model).probe }
    tofu = hasTOFU || probes.isEmpty ? try TOFUComparison(store, reference: reference, scoring: scoring) : nil
  }

  package var text: String {
    [tofu?.table, probes.isEmpty ? nil : ProbeTable.text(probes)].compactMap { $0 }.joined(separator: "\n\n")
  }

  /// TOFU's members, and "probes" where plugins' were measured.
  package var members: [(String, JSONText)] {
    (tofu?.members ?? []) + (probes.isEmpty ? [] : [("probes", ProbeTable.json(probes))])
  }

  package var json: String { String(decoding: JSONText.object(members).compact(), as: UTF8.self) }

  /// - Throws: `invalidArgument` where TOFU was not measured; `resource` naming the file.
  package func writeLogs(to directory: String, scoring: TOFUScoring) throws(LacunaError) {
    guard let tofu else { throw LacunaError(.invalidArgument, "--logs: the run holds no measurements of TOFU") }
    try tofu.write(to: directory, scoring: scoring)
  }
}
