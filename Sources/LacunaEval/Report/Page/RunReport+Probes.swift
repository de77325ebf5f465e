import LacunaEngine

extension RunReport {
  /// Names of the judged models among those that plugins' probes were put to.
  var probedModels: [String] {
    var names: [String] = []
    for summary in runs.flatMap(\.result.probes)
    where summary.series.role == .model && !names.contains(summary.modelName) {
      names.append(summary.modelName)
    }
    return names
  }

  /// A table a probe: a line a figure, a column a model or a format.
  var probes: HTML? {
    let tables = runs.flatMap { run in ProbeTable.groups(run.result.probes).map { probeTable($0, file: run.file) } }
    guard !tables.isEmpty else { return nil }
    return Self.section(
      "probes", "What probes found",
      """
      \(tables)
      <p class="reading">Each probe has a page with its formula and how to read it: plugins/NAME/README.md. Compare the judged model with \
      the retrained one, not with 0.</p>
      """)
  }

  private func probeTable(_ group: [ProbeSummary], file: String) -> HTML {
    let figures = group.map { ProbeTable.figures($0.value) }
    var names: [String] = []
    for column in figures { names += column.map(\.name).filter { !names.contains($0) } }
    let rows = names.map { name -> HTML in
      let cells = figures.map { column -> HTML in "<td>\(column.first { $0.name == name }?.text ?? "–")</td>" }
      return "<tr><th scope=\"row\">\(name)</th>\(cells)</tr>"
    }
    let head = group.map { summary -> HTML in
      let details = [summary.series.role.rawValue, summary.series.format].filter { !$0.isEmpty }.joined(separator: ", ")
      return "\(summary.modelName) <small>\(details)</small>"
    }
    let title = group[0].series.probe + (runs.count > 1 ? ", \(file)" : "")
    return "<h3>\(title)</h3>\(Self.table(title, head: ["figure"] + head, rows: rows))"
  }
}
