import LacunaEngine

/// What a plugin's probe found: a column a model and format of weights.
struct ProbePart: Sendable {
  struct Column: Sendable {
    let summary: ProbeSummary
    /// The report's column of the model, by its index.
    var column: Int
    let rows: [Row]
  }

  /// What a record says, and of which question.
  struct Row: Sendable, Equatable {
    let task: String
    let row: Int
    let question: String
    let answer: String
    /// By their paths ("auc.min_k").
    let numbers: [String: Double]
    /// Lists that have a number for each layer of the model.
    let layers: [String: [Double]]
    /// Which layers those are; nil for all from 0 on.
    let depths: [Int]?

    var place: RunReport.Place {
      RunReport.Place(task: TOFUTask(probeTask: task)?.rawValue ?? task, row: row)
    }
  }

  let name: String
  private(set) var columns: [Column]

  /// A plugin's only probe mostly has the plugin's name: then that is enough.
  var title: String {
    let parts = name.split(separator: "/", maxSplits: 1)
    guard parts.count == 2 else { return name }
    let isSame = parts[0].map { $0 == "-" ? "_" : $0 } == Array(parts[1])
    return isSame ? String(parts[0]) : name
  }

  /// Of all records, in the order of the alphabet.
  var numberNames: [String] { Set(columns.flatMap { $0.rows.flatMap(\.numbers.keys) }).sorted() }
  var layerNames: [String] { Set(columns.flatMap { $0.rows.flatMap(\.layers.keys) }).sorted() }

  /// Joins the probe's other columns. Another run's that is the same to the last bit is left out.
  static func add(_ column: Column, to parts: inout [ProbePart]) {
    guard let index = parts.firstIndex(where: { $0.name == column.summary.series.probe }) else {
      parts.append(ProbePart(name: column.summary.series.probe, columns: [column]))
      return
    }
    let isKnown = parts[index].columns.contains {
      $0.column == column.column && $0.summary.series == column.summary.series && $0.rows == column.rows
        && $0.summary.text == column.summary.text
    }
    if !isKnown { parts[index].columns.append(column) }
  }

  mutating func move(_ place: (Int) -> Int) {
    for index in columns.indices { columns[index].column = place(columns[index].column) }
    columns.sort { ($0.column, $0.summary.series.format) < ($1.column, $1.summary.series.format) }
  }
}

extension ProbePart.Column {
  /// - Throws: `malformed` for a record that is not JSON.
  init(_ summary: ProbeSummary, column: Int, in store: ResultStore) throws(LacunaError) {
    self.summary = summary
    self.column = column
    let items = try store.items()
    var rows: [ProbePart.Row] = []
    for record in try store.records(of: summary.series) {
      let place = "\(store.path): \(summary.series.probe), \(record.task), row \(record.row)"
      let value = try JSONValue.parse(Array(record.value.utf8), file: place)
      guard case .object(let members) = value else { continue }
      let item = items[record.itemHash]
      rows.append(
        ProbePart.Row(
          task: record.task, row: record.row, question: item?.question ?? "", answer: item?.answer ?? "",
          numbers: Dictionary(ProbeTable.numbers(value).map { ($0.name, $0.value) }) { first, _ in first },
          layers: members.filter { $0.key.contains("layer") }.compactMapValues(Self.list),
          depths: members["depths"].flatMap(Self.list)?.compactMap(Int.init(exactly:))))
    }
    self.rows = rows
  }

  private static func list(_ value: JSONValue) -> [Double]? {
    guard case .array(let elements) = value else { return nil }
    let numbers = elements.compactMap(\.number)
    return numbers.count == elements.count && !numbers.isEmpty ? numbers : nil
  }

  func values(_ name: String) -> [Double] { rows.compactMap { $0.numbers[name] } }

  /// The numbers of the layers that such a list has numbers for.
  func layerNumbers(count: Int) -> [Int] {
    guard let depths = rows.first?.depths, depths.count == count, rows.allSatisfy({ $0.depths == depths }) else {
      return Array(0..<count)
    }
    return depths
  }

  /// The mean of each layer over the rows; nil unless all have as many layers.
  func layerMeans(_ name: String) -> [Double]? {
    let lists = rows.compactMap { $0.layers[name] }
    guard let first = lists.first, lists.allSatisfy({ $0.count == first.count }) else { return nil }
    return first.indices.map { layer in lists.reduce(0) { $0 + $1[layer] } / Double(lists.count) }
  }
}

extension TOFUTask {
  /// The task by its name in the records of plugins' probes.
  init?(probeTask name: String) {
    switch name {
    case "forget": self = .forget
    case "retain": self = .retain
    case "real_authors": self = .realAuthors
    case "world_facts": self = .worldFacts
    default: return nil
    }
  }
}
