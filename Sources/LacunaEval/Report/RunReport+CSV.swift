import LacunaEngine

extension RunReport {
  /// A line for each row of each model (RFC 4180): everything that was measured of it, and what the figures make of that.
  public var itemsCSV: String {
    var lines = [
      [
        "file", "role", "model", "task", "row", "question", "answer", "generated", "loss", "tokens",
        "paraphrase_loss",
        "wrong_losses", "probability", "truth_ratio", "rouge1_recall", "rougeL_recall",
      ]
    ]
    let texts = Dictionary(
      uniqueKeysWithValues: items.map { ("\($0.task.rawValue) \($0.row)", $0) })
    for (index, column) in columns.enumerated() {
      for task in Self.taskOrder {
        let ratios = truthRatios(index, task)
        for row in column.log.tasks[task] ?? [] {
          let item = texts["\(task.rawValue) \(row.index)"]
          lines.append([
            column.file, column.role.rawValue, column.figures.name, task.rawValue, "\(row.index)",
            item?.question ?? "",
            item?.answer ?? "", row.generated?.text ?? "", "\(row.answer.average)",
            row.answer.count.map(String.init) ?? "", "\(row.paraphrase.average)",
            row.perturbed.map { "\($0.average)" }.joined(separator: " "),
            "\(scoring.probability(row, task))",
            ratios[row.index].map { "\($0)" } ?? "",
            row.rouge1Recall.isNaN ? "" : "\(row.rouge1Recall)",
            "\(row.rougeLRecall)",
          ])
        }
      }
    }
    return Self.csv(lines)
  }

  /// A line for each figure of each model.
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
