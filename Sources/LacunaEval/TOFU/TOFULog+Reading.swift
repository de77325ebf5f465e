public import LacunaEngine

/// Reads the published `eval_log_aggregated.json`: one object of tasks, each with columns that are arrays (OPTML-Group) or
/// objects keyed by the row's number (locuslab).
extension TOFULog {
  private static let byteLimit = 1 << 28

  /// - Throws: `malformed` naming the task, the column and the row.
  public init(contentsOf path: String) throws(LacunaError) {
    try self.init(try readFile(path, limit: Self.byteLimit), file: path)
  }

  package init(_ bytes: [UInt8], file: String) throws(LacunaError) {
    let root = try JSONValue.parse(bytes, file: file)
    guard case .object(let members) = root else {
      throw LacunaError(.malformed, file: file, field: "the file", expected: "an object of tasks", found: root.shown)
    }
    var tasks: [TOFUTask: [TOFURow]] = [:]
    for task in TOFUTask.allCases {
      guard let value = members[task.logName] else { continue }
      tasks[task] = try LoggedTask(value, task: task, file: file).rows()
    }
    guard !tasks.isEmpty else {
      let found = members.keys.sorted().prefix(4).map { "\"\($0.clipped)\"" }.joined(separator: ", ")
      throw LacunaError(
        .malformed, file: file, field: "the file",
        expected: "an aggregated log with members like \"\(TOFUTask.forget.logName)\"",
        found: found.isEmpty ? "no members" : found)
    }
    self.init(name: file, tasks: tasks)
  }
}

/// One task's columns.
private struct LoggedTask {
  let task: TOFUTask
  let file: String
  private let columns: [String: JSONValue]
  /// Numbers of the rows, ascending: of the first column, and so of all.
  private let indices: [Int]

  init(_ value: JSONValue, task: TOFUTask, file: String) throws(LacunaError) {
    self.task = task
    self.file = file
    guard case .object(let columns) = value else {
      throw LacunaError(
        .malformed, file: file, field: task.logName, expected: "an object of columns", found: value.shown)
    }
    self.columns = columns
    guard let first = columns["avg_gt_loss"] else {
      throw LacunaError(
        .malformed, file: file, field: "\(task.logName): avg_gt_loss", expected: "a column", found: "none")
    }
    indices = try Self.cells(of: first, "\(file): \(task.logName): avg_gt_loss").map(\.index)
    guard !indices.isEmpty else {
      throw LacunaError(.malformed, file: file, field: "\(task.logName): avg_gt_loss", expected: "rows", found: "none")
    }
  }

  func rows() throws(LacunaError) -> [TOFURow] {
    let answers = try losses("avg_gt_loss", count: "num_token_gt")
    let paraphrases = try losses("avg_paraphrased_loss", count: "num_token_paraphrased")
    let perturbed = try lists("average_perturb_loss")
    let perturbedCounts = try optional("num_token_perturb") { (name) throws(LacunaError) in try lists(name) }
    let rouge1 = try optional("rouge1_recall") { (name) throws(LacunaError) in try numbers(name) }
    let rougeL = try numbers("rougeL_recall")
    let generated = try optional("generated_text") { (name) throws(LacunaError) in try triples(name) }
    var rows: [TOFURow] = []
    for (place, index) in indices.enumerated() {
      guard !perturbed[place].isEmpty else { throw refusal("average_perturb_loss", index, "numbers", "none") }
      let counts = perturbedCounts?[place]
      if let counts, counts.count != perturbed[place].count {
        throw refusal("num_token_perturb", index, "\(perturbed[place].count) numbers", "\(counts.count)")
      }
      rows.append(
        TOFURow(
          index: index, answer: answers[place], paraphrase: paraphrases[place],
          perturbed: perturbed[place].enumerated().map { number, loss in
            TOFURow.Loss(average: loss, count: counts.flatMap { Int(exactly: $0[number]) })
          },
          rouge1Recall: rouge1?[place] ?? .nan, rougeLRecall: rougeL[place], generated: generated?[place]))
    }
    return rows
  }

  // MARK: Columns

  private func losses(_ name: String, count: String) throws(LacunaError) -> [TOFURow.Loss] {
    let averages = try numbers(name)
    let counts = try optional(count) { (name) throws(LacunaError) in try numbers(name) }
    return averages.enumerated().map { place, average in
      TOFURow.Loss(average: average, count: counts.flatMap { Int(exactly: $0[place]) })
    }
  }

  private func optional<T>(
    _ name: String, _ read: (String) throws(LacunaError) -> T
  ) throws(LacunaError) -> T? { columns[name] == nil ? nil : try read(name) }

  private func numbers(_ name: String) throws(LacunaError) -> [Double] {
    var found: [Double] = []
    for (index, value) in try column(name) {
      guard let number = value.number else { throw refusal(name, index, "a number", value.shown) }
      found.append(number)
    }
    return found
  }

  private func lists(_ name: String) throws(LacunaError) -> [[Double]] {
    var found: [[Double]] = []
    for (index, value) in try column(name) {
      guard case .array(let elements) = value else { throw refusal(name, index, "an array of numbers", value.shown) }
      var list: [Double] = []
      for element in elements {
        guard let number = element.number else { throw refusal(name, index, "numbers", element.shown) }
        list.append(number)
      }
      found.append(list)
    }
    return found
  }

  private func triples(_ name: String) throws(LacunaError) -> [TOFURow.Generated] {
    var found: [TOFURow.Generated] = []
    for (index, value) in try column(name) {
      guard case .array(let parts) = value, parts.count == 3, case .string(let prompt) = parts[0],
        case .string(let text) = parts[1], case .string(let reference) = parts[2]
      else { throw refusal(name, index, "[prompt, text, reference]", value.shown) }
      found.append(TOFURow.Generated(prompt: prompt, text: text, reference: reference))
    }
    return found
  }

  /// The column's cells in the order of rows.
  private func column(_ name: String) throws(LacunaError) -> [(index: Int, value: JSONValue)] {
    guard let value = columns[name] else {
      throw LacunaError(.malformed, file: file, field: "\(task.logName): \(name)", expected: "a column", found: "none")
    }
    let cells = try Self.cells(of: value, "\(file): \(task.logName): \(name)")
    guard cells.map(\.index) == indices else {
      throw LacunaError(
        .malformed, file: file, field: "\(task.logName): \(name)",
        expected: "the \(indices.count) rows of avg_gt_loss",
        found: cells.count == indices.count ? "other rows" : "\(cells.count) rows")
    }
    return cells
  }

  private static func cells(
    of column: JSONValue, _ place: String
  ) throws(LacunaError) -> [(index: Int, value: JSONValue)] {
    switch column {
    case .array(let elements): return elements.enumerated().map { ($0, $1) }
    case .object(let members):
      var cells: [(index: Int, value: JSONValue)] = []
      for (key, value) in members {
        guard let index = Int(key), ResultStore.Record.rows.contains(index), String(index) == key else {
          let rows = ResultStore.Record.rows
          throw LacunaError(
            .malformed,
            "\(place): expected row numbers from \(rows.lowerBound) to \(rows.upperBound) as names, found "
              + "\"\(key.clipped)\"")
        }
        cells.append((index, value))
      }
      // By number: as text, "10" comes before "2".
      return cells.sorted { $0.index < $1.index }
    default:
      throw LacunaError(.malformed, "\(place): expected an array, or an object of rows, found \(column.shown)")
    }
  }

  private func refusal(_ name: String, _ index: Int, _ expected: String, _ found: String) -> LacunaError {
    LacunaError(
      .malformed, file: file, field: "\(task.logName): \(name), row \(index)", expected: expected, found: found)
  }
}

extension JSONValue {
  /// An integer or a fraction.
  package var number: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .double(let value): value
    default: nil
    }
  }
}
