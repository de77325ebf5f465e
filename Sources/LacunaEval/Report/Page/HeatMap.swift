/// A field of coloured squares: a line an author, a square a question.
struct HeatMap: Sendable {
  struct Line: Sendable {
    let name: String
    /// A class for the colour, what is shown on pointing, and the row that a click opens; nil for what was not measured.
    let cells: [(style: String, note: String, item: String?)?]
  }

  let title: String
  let lines: [Line]
  /// What stands above the columns; nil for numbers from 1.
  var columnNumbers: [Int]?

  private static let cell = 12.0
  private static let nameWidth = 110.0

  var svg: HTML {
    let columns = lines.map(\.cells.count).max() ?? 0
    let width = Self.nameWidth + Double(columns) * Self.cell
    let height = Double(lines.count) * Self.cell + 16
    var drawn: HTML = .empty
    for column in stride(from: 0, to: columns, by: columns > 12 ? 5 : 3) {
      drawn +=
        "<text x=\"\(at: Self.nameWidth + (Double(column) + 0.5) * Self.cell)\" y=\"9\" text-anchor=\"middle\">\(columnNumbers?[column] ?? column + 1)</text>"
    }
    for (number, line) in lines.enumerated() {
      let top = Double(number) * Self.cell + 13
      drawn +=
        "<text x=\"\(at: Self.nameWidth - 5)\" y=\"\(at: top + 9)\" text-anchor=\"end\">\(clip(line.name))</text>"
      for (column, cell) in line.cells.enumerated() {
        guard let cell else { continue }
        let item: HTML = cell.item.map { " data-item=\"\($0)\"" } ?? .empty
        drawn += """
          <rect class="\(cell.style)" x="\(at: Self.nameWidth + Double(column) * Self.cell)" y="\(at: top)" \
          width="11" height="11"\(item)><title>\(cell.note)</title></rect>
          """
      }
    }
    return
      "<svg class=\"heat\" width=\"\(at: 1.3 * width)\" viewBox=\"0 0 \(at: width) \(at: height)\" role=\"img\" aria-label=\"\(title)\">\(drawn)</svg>"
  }

  private func clip(_ name: String) -> String { name.count <= 20 ? name : name.prefix(19) + "…" }
}

extension RunReport {
  /// Who wrote what: the authors of a task's rows. nil for a task whose rows are not grouped by author.
  func authors(_ task: TOFUTask) -> AuthorBlocks? {
    guard !task.isChoice else { return nil }
    let texts = items.filter { $0.task == task && !$0.question.isEmpty }.map { ($0.row, "\($0.question) \($0.answer)") }
    return texts.isEmpty ? nil : AuthorBlocks(Dictionary(uniqueKeysWithValues: texts))
  }

  /// How well a column knows each true answer.
  func heatMap(_ column: Int, _ task: TOFUTask, _ authors: AuthorBlocks) -> HeatMap {
    map("\(columns[column].title): losses of the true answers by author", column, task, authors) {
      row in
      (
        "k\(KnowledgeScale.step(loss: row.answer.average))",
        "loss \(decimal(row.answer.average, 3)), ROUGE-L \(decimal(row.rougeLRecall, 2))"
      )
    }
  }

  /// How much more or less it knows of each than its reference. nil without one.
  func differenceMap(_ column: Int, _ task: TOFUTask, _ authors: AuthorBlocks) -> HeatMap? {
    guard let reference = columns[column].reference, reference != column else { return nil }
    let others = Dictionary(
      (columns[reference].log.tasks[task] ?? []).map { ($0.index, $0.answer.average) },
      uniquingKeysWith: { a, _ in a })
    let title = "\(columns[column].title) against \(columns[reference].title)"
    return map(title, column, task, authors) { row in
      guard let other = others[row.index] else { return nil }
      let excess = row.answer.average - other
      return (
        "d\(4 + KnowledgeScale.difference(excess))",
        "loss \(decimal(row.answer.average, 3)), the other's \(decimal(other, 3))"
      )
    }
  }

  private func map(
    _ title: String, _ column: Int, _ task: TOFUTask, _ authors: AuthorBlocks,
    _ cell: (TOFURow) -> (style: String, note: String)?
  ) -> HeatMap {
    let rows = Dictionary(
      (columns[column].log.tasks[task] ?? []).map { ($0.index, $0) },
      uniquingKeysWith: { a, _ in a })
    let lines = authors.blocks.map { block in
      HeatMap.Line(
        name: block.name,
        cells: (0..<authors.width).map { offset in
          guard let row = rows[block.firstRow + offset], let found = cell(row) else { return nil }
          return (
            found.style, "\(block.name), row \(row.index): \(found.note)",
            "\(task.rawValue)-\(row.index)"
          )
        })
    }
    return HeatMap(title: title, lines: lines)
  }
}
