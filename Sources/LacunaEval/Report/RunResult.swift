package import LacunaEngine

/// What one run says: TOFU's figures, and the summaries of plugins' probes.
package struct RunResult: Sendable {
  /// nil where TOFU was not measured.
  package let tofu: TOFUComparison?
  package let probes: [ProbeSummary]
  /// What a reader should know before believing the figures.
  package let notes: [String]

  /// - Parameter reference: the retrained model's log, for a run that measured none.
  /// - Throws: as `TOFUComparison`, also for a run without any measurements.
  package init(
    _ store: ResultStore, probes: [ProbeSummary], reference: TOFULog?, scoring: TOFUScoring
  ) throws(LacunaError) {
    self.probes = probes
    let series = try store.series()
    guard !series.isEmpty else { throw LacunaError(.invalidArgument, "\(store.path): holds no measurements yet") }
    let hasTOFU = series.contains { $0.probe == ResultStore.Series.tofu(.model).probe }
    tofu = hasTOFU ? try TOFUComparison(store, reference: reference, scoring: scoring) : nil
    notes = try store.shortfalls() + (tofu?.notes ?? [])
  }

  package var text: String {
    [
      tofu?.table, probes.isEmpty ? nil : ProbeTable.text(probes), notes.isEmpty ? nil : Self.text(notes),
    ].compactMap { $0 }.joined(separator: "\n\n")
  }

  static func text(_ notes: [String]) -> String { notes.map { "note: \($0)" }.joined(separator: "\n") }

  /// TOFU's members, "probes" where plugins' were measured, and "notes" where there are any.
  package var members: [(String, JSONText)] {
    (tofu?.members ?? []) + (probes.isEmpty ? [] : [("probes", ProbeTable.json(probes))])
      + (notes.isEmpty ? [] : [("notes", .array(notes.map { .string($0) }))])
  }

  package var json: String { String(decoding: JSONText.object(members).compact(), as: UTF8.self) }

  /// Why a forget quality is missing; see `TOFUComparison.Column`.
  package var refusals: [LacunaError] { tofu?.columns.compactMap(\.refusal) ?? [] }

  /// - Throws: `invalidArgument` where TOFU was not measured; `resource` naming the file.
  package func writeLogs(to directory: String) throws(LacunaError) {
    guard let tofu else { throw LacunaError(.invalidArgument, "--logs: the run holds no measurements of TOFU") }
    try tofu.write(to: directory)
  }
}
