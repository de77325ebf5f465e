import LacunaEngine

extension RunReport {
  /// A line for each row of each model (RFC 4180): everything that was measured of it, and what the figures make of that.
  public var itemsCSV: String {
    let extras = probeFigures
    var lines = [Self.itemHeads + extras.map(\.title)]
    let items = items
    for (index, column) in columns.enumerated() {
      let measured = Measured(self, index)
      for item in items {
        let row = measured.row(item)
        let values = extras.map { $0.values[index]?[item.place].map { "\($0)" } ?? "" }
        guard row != nil || values.contains(where: { !$0.isEmpty }) else { continue }
        var line = [
          column.file, column.role.rawValue, column.figures.name, item.place.task, "\(item.row)", item.question,
          item.answer,
        ]
        if let row, let task = item.task {
          line += [
            row.generated?.text ?? "", "\(row.answer.average)", row.answer.count.map(String.init) ?? "",
            "\(row.paraphrase.average)", row.perturbed.map { "\($0.average)" }.joined(separator: " "),
            "\(scoring.probability(row, task))", measured.ratio(item).map { "\($0)" } ?? "",
            row.rouge1Recall.isNaN ? "" : "\(row.rouge1Recall)", "\(row.rougeLRecall)",
          ]
        }
        lines.append(line + Array(repeating: "", count: Self.itemHeads.count - line.count) + values)
      }
    }
    return Self.csv(lines)
  }

  private static let itemHeads = [
    "file", "role", "model", "task", "row", "question", "answer", "generated", "loss", "tokens", "paraphrase_loss",
    "wrong_losses", "probability", "truth_ratio", "rouge1_recall", "rougeL_recall",
  ]

  /// A line for each figure of each model, TOFU's and those that plugins' probes sum up.
  public var figuresCSV: String {
    var lines = [["file", "role", "model", "task", "figure", "value"]]
    for column in columns {
      func add(_ task: String, _ figure: String, _ value: Double?) {
        guard let value, value.isFinite else { return }
        lines.append([
          column.file, column.role.rawValue, column.figures.name, task, figure, "\(value)",
        ])
      }
      add("", "model_utility", column.figures.figures.modelUtility)
      add("", "forget_quality", column.figures.forgetQuality?.p)
      add("", "ks_distance", column.figures.forgetQuality?.distance)
      for task in Self.taskOrder {
        guard let figures = column.figures.figures.tasks[task] else { continue }
        add(task.rawValue, "rows", Double(figures.count))
        add(task.rawValue, "rougeL_recall", figures.rougeLRecall)
        add(task.rawValue, "rouge1_recall", figures.rouge1Recall)
        add(task.rawValue, "probability", figures.probability)
        add(task.rawValue, "truth_ratio", figures.truthRatio)
        add(task.rawValue, "word_for_word", figures.recited)
      }
    }
    for part in probes {
      for column in part.columns {
        let model = columns[column.column]
        let name = [part.name, column.summary.series.format].filter { !$0.isEmpty }.joined(separator: ":")
        for (figure, value) in ProbeTable.numbers(column.summary.value) {
          lines.append([model.file, model.role.rawValue, model.figures.name, name, figure, "\(value)"])
        }
      }
    }
    return Self.csv(lines)
  }

  private static func csv(_ lines: [[String]]) -> String {
    lines.map { $0.map(field).joined(separator: ",") + "\r\n" }.joined()
  }

  private static func field(_ text: String) -> String {
    // By scalars: a quotation mark with a combining accent is another character, and ends a field all the same.
    let scalars = text.unicodeScalars
    guard scalars.contains(where: { ",\"\r\n".unicodeScalars.contains($0) }) else { return text }
    let escaped = scalars.split(separator: "\"", omittingEmptySubsequences: false).map {
      String($0)
    }
    return "\"" + escaped.joined(separator: "\"\"") + "\""
  }
}
