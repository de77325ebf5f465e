import LacunaEngine

// What all ways of showing a report ask for.

extension RunReport {
  /// Where a row belongs: a task as TOFU's logs call it, or as a plugin's probe does that asks about other rows.
  struct Place: Hashable, Sendable {
    let task: String
    let row: Int
  }

  /// A row of a task, with its texts where a column's log holds them.
  struct Item: Sendable {
    let place: Place
    /// nil for a task that only a plugin's probe has.
    let task: TOFUTask?
    let question: String
    let answer: String

    var row: Int { place.row }
  }

  /// A question and its answer; empty where nobody recorded them.
  struct Texts: Sendable, Equatable {
    var question = ""
    var answer = ""
    /// The run or log that has them.
    var file = ""
  }

  /// Of every row that some column holds.
  /// - Throws: `invalidArgument` where two hold other questions in the same place.
  func collectTexts() throws(LacunaError) -> [Place: Texts] {
    var found: [Place: Texts] = [:]
    func add(_ place: Place, _ texts: Texts) throws(LacunaError) {
      guard let known = found[place], !known.question.isEmpty else { return found[place] = texts }
      guard texts.question.isEmpty || texts.question == known.question else {
        throw LacunaError(
          .invalidArgument,
          "\(known.file) and \(texts.file) ask \"\(known.question.clipped)\" and \"\(texts.question.clipped)\" in row "
            + "\(place.row) of \(place.task): runs of other rows do not stand side by side")
      }
    }
    for column in columns {
      for (task, rows) in column.log.tasks {
        for row in rows {
          try add(
            Place(task: task.rawValue, row: row.index),
            row.generated.map {
              Texts(question: Self.question($0.prompt), answer: $0.reference, file: column.log.name)
            } ?? Texts())
        }
      }
    }
    for column in probes.flatMap(\.columns) {
      let file = columns[column.column].file
      for row in column.rows { try add(row.place, Texts(question: row.question, answer: row.answer, file: file)) }
    }
    return found
  }

  /// Every row that some column holds, in the order of the data, what was to be forgotten first.
  var items: [Item] {
    let order = Dictionary(uniqueKeysWithValues: Self.taskOrder.enumerated().map { ($1.rawValue, $0) })
    let places = texts.keys.sorted {
      (order[$0.task] ?? order.count, $0.task, $0.row) < (order[$1.task] ?? order.count, $1.task, $1.row)
    }
    return places.map { place in
      Item(
        place: place, task: TOFUTask(rawValue: place.task), question: texts[place]?.question ?? "",
        answer: texts[place]?.answer ?? "")
    }
  }

  /// A number that a plugin's probe recorded of rows: a column of tables.
  struct ProbeFigure: Sendable {
    let title: String
    /// By the report's column, by row.
    let values: [Int: [Place: Double]]
  }

  var probeFigures: [ProbeFigure] {
    probes.flatMap { part in
      Set(part.columns.map(\.summary.series.format)).sorted().flatMap { format in
        part.numberNames.map { name in
          var values: [Int: [Place: Double]] = [:]
          for column in part.columns where column.summary.series.format == format {
            for row in column.rows { values[column.column, default: [:]][row.place] = row.numbers[name] }
          }
          return ProbeFigure(title: "\(part.title): \(name)" + (format.isEmpty ? "" : ", \(format)"), values: values)
        }
      }
    }
  }

  static let taskOrder = [TOFUTask.forget] + TOFUTask.utilityTasks

  /// A prompt without the tags around it.
  private static func question(_ prompt: String) -> String {
    let (head, tail) = ("[INST] ", " [/INST]")
    guard prompt.hasPrefix(head), prompt.hasSuffix(tail), prompt.count >= head.count + tail.count
    else { return prompt }
    return String(prompt.dropFirst(head.count).dropLast(tail.count))
  }

  /// Columns that are judged: neither original nor retrained.
  var judged: [Int] { columns.indices.filter { columns[$0].role == .model } }

  /// What forget quality compares, by row.
  func truthRatios(_ column: Int, _ task: TOFUTask = .forget) -> [Int: Double] {
    let rows = columns[column].log.tasks[task] ?? []
    return Dictionary(zip(rows.map(\.index), scoring.column(rows))) { first, _ in first }
  }

  /// The split that was measured; nil where runs do not say, or not the same.
  var split: TOFUSplit? {
    let splits = Set(
      columns.compactMap(\.identity).map { identity in
        identity.setting("split").flatMap(TOFUSplit.init(rawValue:))
      })
    return splits.count == 1 ? splits.first ?? nil : nil
  }

  /// Published figures that are about the rows at hand.
  var published: [PublishedTOFU] {
    guard scoring.profile.name == .paper, scoring.truthRatio == .geometric, let split,
      columns.contains(where: { PublishedTOFU.isOwnData($0.log) })
    else { return [] }
    return PublishedTOFU.rows(split) ?? []
  }

  /// What a reader should know before believing the figures.
  var notes: [String] {
    var notes: [String] = []
    let bare = columns.filter { $0.identity != nil && $0.tokens.isEmpty && !$0.log.tasks.isEmpty }.map(\.title)
    if !bare.isEmpty {
      notes.append(
        "No tokens were recorded for \(bare.joined(separator: ", ")): answers are shown without colours. "
          + "Runs of this version of lacuna record them.")
    }
    let kernels = Set(columns.compactMap(\.identity).map(\.kernels))
    if kernels.count > 1 {
      notes.append(
        "Columns were measured on different instruction sets: \(kernels.sorted().joined(separator: ", "))."
      )
    }
    for note in runs.flatMap(\.result.notes) where !notes.contains(note) { notes.append(note) }
    return notes
  }
}

/// A column's rows and truth ratios, to look up.
struct Measured: Sendable {
  private var rows: [RunReport.Place: TOFURow] = [:]
  private var ratios: [RunReport.Place: Double] = [:]

  init(_ report: RunReport, _ column: Int) {
    for (task, rows) in report.columns[column].log.tasks {
      for row in rows { self.rows[RunReport.Place(task: task.rawValue, row: row.index)] = row }
      for (row, ratio) in report.truthRatios(column, task) {
        ratios[RunReport.Place(task: task.rawValue, row: row)] = ratio
      }
    }
  }

  func row(_ item: RunReport.Item) -> TOFURow? { rows[item.place] }
  func ratio(_ item: RunReport.Item) -> Double? { ratios[item.place] }
}
