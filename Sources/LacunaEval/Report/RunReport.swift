public import LacunaEngine

/// What one or several runs hold, made ready to be shown: models side by side, in the order in which their story is told.
/// It has no model and needs none.
public struct RunReport: Sendable {
  public struct Column: Sendable {
    public let figures: TOFUComparison.Column
    /// The model's name, with more where names alone would not tell columns apart.
    public internal(set) var title: String
    /// Where it was measured: a run's file, or a log's.
    public let file: String
    /// nil for a published log.
    public let identity: RunIdentity?
    /// Answers by task and row; empty where a run recorded none.
    public let tokens: [TOFUTask: [Int: TOFUTokens]]
    /// The column, by its index, that forget quality holds this one against.
    public internal(set) var reference: Int?

    public var role: ResultStore.Role { figures.role }
    public var log: TOFULog { figures.log }
  }

  /// The originals, what is judged, the retrained.
  public private(set) var columns: [Column] = []
  /// Each run by itself.
  private let runs: [(file: String, comparison: TOFUComparison)]
  public let scoring: TOFUScoring

  public var files: [String] { runs.map(\.file) }

  /// - Parameters:
  ///   - reference: the retrained model's log, for runs that measured none.
  /// - Throws: `malformed` for a record that cannot be read, `invalidArgument` for logs of other rows than their reference's and
  ///   for runs that hold nothing.
  public init(
    _ stores: [ResultStore], reference: TOFULog? = nil, scoring: TOFUScoring = TOFUScoring()
  ) throws(LacunaError) {
    var runs: [(file: String, comparison: TOFUComparison)] = []
    for store in stores {
      runs.append((store.path, try TOFUComparison(store, reference: reference, scoring: scoring)))
    }
    self.runs = runs
    self.scoring = scoring
    var logReference: Int?
    if let reference {
      let figures = try TOFUComparison([(.reference, "published log", reference)], scoring: scoring)
        .columns[0]
      logReference = columns.count
      columns.append(
        Column(
          figures: figures, title: figures.name, file: reference.name, identity: nil, tokens: [:],
          reference: 0))
    }
    for (store, run) in zip(stores, runs) {
      var places: [Int] = []
      for figures in run.comparison.columns { places.append(try place(of: figures, in: store)) }
      let own = places.first { columns[$0].role == .reference }
      for place in places where columns[place].reference == nil {
        columns[place].reference = logReference ?? own
      }
    }
    order()
    nameApart()
  }

  /// The column that shows a run's model: a new one, unless another run measured the same to the last bit.
  private mutating func place(of figures: TOFUComparison.Column, in store: ResultStore)
    throws(LacunaError) -> Int
  {
    let identity = try store.identity(of: figures.role)
    if let known = columns.firstIndex(where: {
      $0.role == figures.role && $0.identity == identity && $0.log.tasks == figures.log.tasks
        && $0.figures.forgetQuality == figures.forgetQuality
    }) {
      return known
    }
    var tokens: [TOFUTask: [Int: TOFUTokens]] = [:]
    for task in TOFUTask.allCases {
      tokens[task] = try store.tofuTokens(of: figures.role, task: task)
    }
    columns.append(
      Column(
        figures: figures, title: figures.name, file: store.path, identity: identity,
        tokens: tokens.filter { !$0.value.isEmpty }))
    return columns.count - 1
  }

  private mutating func order() {
    let story: [ResultStore.Role] = [.original, .model, .reference]
    let places = story.flatMap { role in columns.indices.filter { columns[$0].role == role } }
    let old = columns
    columns = places.map { old[$0] }
    for index in columns.indices {
      columns[index].reference = columns[index].reference.flatMap { places.firstIndex(of: $0) }
    }
  }

  /// Names that several columns bear get the run's file behind them.
  private mutating func nameApart() {
    let counts = Dictionary(grouping: columns.map(\.title), by: { $0 }).mapValues(\.count)
    for index in columns.indices where counts[columns[index].title, default: 0] > 1 {
      let file =
        columns[index].file.split(separator: "/").last.map(String.init) ?? columns[index].file
      columns[index].title += " (\(columns[index].role.rawValue), \(file))"
    }
  }

  /// One run's as `TOFUComparison.json`; several as `{"runs":[...]}`, each with its "file" before them.
  public var json: String {
    if let only = runs.first, runs.count == 1 { return only.comparison.json }
    let entries = runs.map { JSONText.object([("file", .string($0.file))] + $0.comparison.members) }
    return String(decoding: JSONText.object([("runs", .array(entries))]).compact(), as: UTF8.self)
  }

  /// Writes the logs of the first run, as `TOFUComparison.write(to:scoring:)` does.
  /// - Throws: `resource` naming the file.
  public func writeLogs(to directory: String) throws(LacunaError) {
    try runs.first?.comparison.write(to: directory, scoring: scoring)
  }

  // MARK: What all ways of showing it ask for

  /// A row of a task, with its texts where a column's log holds them.
  struct Item: Sendable {
    let task: TOFUTask
    let row: Int
    let question: String
    let answer: String
  }

  /// Every row that some column holds, in the order of the data, what was to be forgotten first.
  var items: [Item] {
    Self.taskOrder.flatMap { task in
      var texts: [Int: TOFURow.Generated?] = [:]
      for column in columns {
        for row in column.log.tasks[task] ?? [] {
          texts[row.index] = (texts[row.index] ?? nil) ?? row.generated
        }
      }
      return texts.sorted { $0.key < $1.key }.map { row, texts in
        Item(
          task: task, row: row, question: texts.map { Self.question($0.prompt) } ?? "",
          answer: texts?.reference ?? "")
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
        guard let value = try? JSONValue.parse(Array(identity.parameters.utf8), file: "parameters"),
          case .string(let name)? = value["split"]
        else { return TOFUSplit?.none }
        return TOFUSplit(rawValue: name)
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
    let bare = columns.filter { $0.tokens.isEmpty }.map(\.title)
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
    if !columns.contains(where: { $0.role == .reference }) {
      notes.append("There is no retrained reference: forget quality cannot be said.")
    }
    return notes
  }
}
