public import LacunaEngine

/// The figures of an evaluation's models side by side, each against the retrained one.
public struct TOFUComparison: Sendable {
  public struct Column: Sendable {
    public let role: ResultStore.Role
    /// The model's name.
    public let name: String
    public let log: TOFULog
    public let figures: TOFUFigures
    /// nil without a reference.
    public let forgetQuality: TwoSampleKS?
  }

  public let columns: [Column]

  /// - Parameters:
  ///   - logs: as they are to be shown, first the one that is judged.
  ///   - reference: the retrained model's; nil for the one of that role, if there is one.
  /// - Throws: `invalidArgument` where a log is of other rows than the reference.
  public init(
    _ logs: [(role: ResultStore.Role, name: String, log: TOFULog)], reference: TOFULog? = nil,
    scoring: TOFUScoring = TOFUScoring()
  ) throws(LacunaError) {
    let reference = reference ?? logs.first { $0.role == .reference }?.log
    var columns: [Column] = []
    for entry in logs {
      let figures = TOFUFigures(entry.log, scoring: scoring)
      var quality: TwoSampleKS?
      if let reference, entry.log.tasks[.forget] != nil, reference.tasks[.forget] != nil {
        quality = try entry.log.forgetQuality(against: reference, scoring: scoring)
      }
      columns.append(
        Column(role: entry.role, name: entry.name, log: entry.log, figures: figures, forgetQuality: quality))
    }
    self.columns = columns
  }

  /// What the store holds.
  public init(
    _ store: ResultStore, reference: TOFULog? = nil, scoring: TOFUScoring = TOFUScoring()
  ) throws(LacunaError) {
    var logs: [(role: ResultStore.Role, name: String, log: TOFULog)] = []
    for role in ResultStore.Role.allCases {
      guard let identity = try store.identity(of: role), let log = try store.tofuLog(of: role) else { continue }
      logs.append((role, identity.modelName, log))
    }
    guard !logs.isEmpty else {
      throw LacunaError(.invalidArgument, "\(store.path): holds no measurements of TOFU yet")
    }
    try self.init(logs, reference: reference, scoring: scoring)
  }

  /// Writes each column's logs: the first into the folder, the others into folders of their roles' names in it.
  /// - Throws: `resource` naming the file.
  public func write(to directory: String, scoring: TOFUScoring) throws(LacunaError) {
    for (index, column) in columns.enumerated() {
      try column.log.write(
        to: index == 0 ? directory : "\(directory)/\(column.role.rawValue)", scoring: scoring,
        forgetQuality: column.forgetQuality)
    }
  }

  /// The first column's `TOFUSummary`, and the others' under "original" and "reference".
  public var json: String { String(decoding: JSONText.object(members).compact(), as: UTF8.self) }

  package var members: [(String, JSONText)] {
    var members: [(String, JSONText)] = []
    for (index, column) in columns.enumerated() {
      let summary = TOFUSummary(figures: column.figures, forgetQuality: column.forgetQuality)
      if index == 0 {
        members += summary.members
      } else {
        members.append((column.role.rawValue, .object(summary.members)))
      }
    }
    return members
  }

  /// For people: a line a figure, a column a model.
  public var table: String { Self.table(columns, titles: columns.map(\.name)) }

  static func table(_ columns: [Column], titles: [String]) -> String {
    let widths = titles.map { max(18, $0.count + 2) }
    func line(_ title: String, _ cells: [String]) -> String {
      let padded = title + String(repeating: " ", count: max(0, 20 - title.count))
      return padded
        + zip(cells, widths).map { String(repeating: " ", count: max(0, $1 - $0.count)) + $0 }.joined()
    }
    var lines = [line("", titles), line("", columns.map(\.role.rawValue))]
    func add(_ title: String, _ value: (Column) -> Double?) {
      lines.append(line(title, columns.map { value($0).map { decimal($0, 4) } ?? "-" }))
    }
    add("model utility") { $0.figures.modelUtility }
    add("forget quality, p") { $0.forgetQuality?.p }
    add("KS distance D") { $0.forgetQuality?.distance }
    lines.append(
      line("  k of n, m", columns.map { $0.forgetQuality.map { "\($0.k) of \($0.n), \($0.m)" } ?? "-" }))
    for task in [TOFUTask.forget] + TOFUTask.utilityTasks
    where columns.contains(where: { $0.figures.tasks[task] != nil }) {
      let counts = columns.map { $0.figures.tasks[task].map { "\($0.count) rows" } ?? "-" }
      lines.append(line(task.title, counts))
      add("  ROUGE-L recall") { $0.figures.tasks[task]?.rougeLRecall }
      add("  probability") { $0.figures.tasks[task]?.probability }
      add("  truth ratio") { $0.figures.tasks[task]?.truthRatio }
      add("  word for word") { $0.figures.tasks[task]?.recited }
    }
    return lines.joined(separator: "\n")
  }
}
