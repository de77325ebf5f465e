public import LacunaEngine

/// The figures of an evaluation's models side by side, each against the retrained one.
public struct TOFUComparison: Sendable {
  public struct Column: Sendable {
    public let role: ResultStore.Role
    /// The model's name.
    public let name: String
    public let log: TOFULog
    public let figures: TOFUFigures
    /// nil without a reference, and where `refusal` says so.
    public let forgetQuality: TwoSampleKS?
    /// Why there is no forget quality although there is a reference: `invalidArgument` where the two are of other rows.
    public let refusal: LacunaError?
  }

  public let columns: [Column]
  public let scoring: TOFUScoring
  private let hasReference: Bool

  /// - Parameters:
  ///   - logs: as they are to be shown, first the one that is judged.
  ///   - reference: the retrained model's; nil for the one of that role, if there is one.
  ///   - processes: shows the logs' rows as `TOFULog.interleaved` mixes them up; the reference stays as it is.
  public init(
    _ logs: [(role: ResultStore.Role, name: String, log: TOFULog)], reference: TOFULog? = nil,
    scoring: TOFUScoring = TOFUScoring(), processes: Int? = nil
  ) {
    let reference = reference ?? logs.first { $0.role == .reference }?.log
    hasReference = reference != nil
    self.scoring = scoring
    columns = logs.map { entry in
      let log = processes.map { entry.log.interleaved(processes: $0) } ?? entry.log
      var quality: TwoSampleKS?
      var refusal: LacunaError?
      if let reference {
        do throws(LacunaError) {
          // Rows that are mixed up are no longer the reference's.
          try entry.log.check(alignsWith: reference)
          quality = try log.truthRatioTest(against: reference, scoring: scoring)
        } catch {
          refusal = error
        }
      }
      return Column(
        role: entry.role, name: entry.name, log: log, figures: TOFUFigures(log, scoring: scoring),
        forgetQuality: quality, refusal: refusal)
    }
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
    self.init(logs, reference: reference, scoring: scoring)
  }

  /// Writes each column's logs: the first into the folder, the others into folders of their roles' names in it.
  /// - Throws: `resource` naming the file.
  public func write(to directory: String) throws(LacunaError) {
    for (index, column) in columns.enumerated() {
      try column.log.write(
        to: index == 0 ? directory : "\(directory)/\(column.role.rawValue)", scoring: scoring,
        forgetQuality: column.forgetQuality)
    }
  }

  /// What is not said, and why.
  package var notes: [String] {
    guard hasReference else {
      return columns.prefix(1).map { "forget quality of \($0.name) cannot be said: there is no retrained reference" }
    }
    return columns.compactMap(\.refusal?.message)
  }

  /// For people: the table, and notes below it.
  public var text: String { ([table] + (notes.isEmpty ? [] : [RunResult.text(notes)])).joined(separator: "\n\n") }

  /// A line a figure, a column a model.
  public var table: String { Self.table(columns, titles: columns.map(\.name), scoring) }

  static func table(_ columns: [Column], titles: [String], _ scoring: TOFUScoring) -> String {
    let widths = titles.map { max(18, $0.count + 2) }
    func line(_ title: String, _ cells: [String]) -> String {
      let padded = title + String(repeating: " ", count: max(0, 20 - title.count))
      return padded
        + zip(cells, widths).map { String(repeating: " ", count: max(0, $1 - $0.count)) + $0 }.joined()
    }
    var lines = [
      "profile \(scoring.profile.name.rawValue), truth ratio \(scoring.truthRatio.rawValue)", line("", titles),
      line("", columns.map(\.role.rawValue)),
    ]
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
