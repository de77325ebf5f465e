package import LacunaEngine

/// Summaries of probes as text and as JSON.
package enum ProbeTable {
  /// A block a probe: a line a figure, a column a model or a format.
  package static func text(_ summaries: [ProbeSummary]) -> String {
    var blocks: [String] = []
    for group in groups(summaries) {
      let columns = group.map { figures($0.value) }
      var names: [String] = []
      for column in columns { names += column.map(\.name).filter { !names.contains($0) } }
      let width = max(20, (names.map(\.count).max() ?? 0) + 2)
      func line(_ title: String, _ cells: [String]) -> String {
        let padded = title + String(repeating: " ", count: max(0, width - title.count))
        return padded + cells.map { String(repeating: " ", count: max(1, 18 - $0.count)) + $0 }.joined()
      }
      var lines = [line(group[0].series.probe, group.map(\.modelName)), line("", group.map(\.series.role.rawValue))]
      if group.contains(where: { !$0.series.format.isEmpty }) { lines.append(line("", group.map(\.series.format))) }
      for name in names {
        lines.append(line("  " + name, columns.map { $0.first { $0.name == name }?.text ?? "-" }))
      }
      if group.contains(where: \.isOfOtherVersion) {
        lines.append("  (the plugin has changed since these records were made)")
      }
      blocks.append(lines.joined(separator: "\n"))
    }
    return blocks.joined(separator: "\n\n")
  }

  /// [{"probe", "role", "format", "model", "records", "plugin_changed", "summary"}, ...]
  package static func json(_ summaries: [ProbeSummary]) -> JSONText {
    .array(
      summaries.map { summary in
        .object([
          ("probe", .string(summary.series.probe)), ("role", .string(summary.series.role.rawValue)),
          ("format", summary.series.format.isEmpty ? .null : .string(summary.series.format)),
          ("model", .string(summary.modelName)), ("records", .integer(summary.recordCount)),
          ("plugin_changed", .bool(summary.isOfOtherVersion)), ("summary", .verbatim(summary.text)),
        ])
      })
  }

  /// Summaries of one probe, side by side.
  static func groups(_ summaries: [ProbeSummary]) -> [[ProbeSummary]] {
    var groups: [[ProbeSummary]] = []
    for summary in summaries {
      if let index = groups.firstIndex(where: { $0[0].series.probe == summary.series.probe }) {
        groups[index].append(summary)
      } else {
        groups.append([summary])
      }
    }
    return groups
  }

  /// Numbers, texts and truths by their path ("auc.min_k"), sorted, numbers in names by their size; lists are for machines.
  package static func figures(_ value: JSONValue, under path: String = "") -> [(name: String, text: String)] {
    switch value {
    case .object(let members):
      return members.sorted { isBefore($0.key, $1.key) }.flatMap { name, value in
        figures(value, under: path.isEmpty ? name : "\(path).\(name)")
      }
    case .double(let number): return [(path, decimal(number, 4))]
    case .integer(let number): return [(path, String(number))]
    case .string(let text): return [(path, text.clipped)]
    case .bool(let flag): return [(path, flag ? "yes" : "no")]
    case .null, .array: return []
    }
  }

  /// The numbers among the figures, as they are; truth counts as 1.
  static func numbers(_ value: JSONValue, under path: String = "") -> [(name: String, value: Double)] {
    switch value {
    case .object(let members):
      return members.sorted { isBefore($0.key, $1.key) }.flatMap { name, value in
        numbers(value, under: path.isEmpty ? name : "\(path).\(name)")
      }
    case .double(let number): return [(path, number)]
    case .integer(let number): return [(path, Double(number))]
    case .bool(let flag): return [(path, flag ? 1 : 0)]
    case .string, .null, .array: return []
    }
  }

  /// "leak@4" before "leak@16".
  private static func isBefore(_ a: String, _ b: String) -> Bool {
    let (x, y) = (split(a), split(b))
    return x.text == y.text ? x.number < y.number : a < b
  }

  private static func split(_ name: String) -> (text: Substring, number: Int) {
    let digits = name.reversed().prefix { $0.isNumber }.count
    return (name.dropLast(digits), Int(name.suffix(digits)) ?? -1)
  }
}
