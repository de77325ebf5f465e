package import LacunaEngine

/// What one or several runs hold, made ready to be shown: models side by side, in the order in which their story is told.
/// It has no model and needs none.
public struct RunReport: Sendable {
  public struct Column: Sendable {
    /// Without tasks where only plugins' probes were put to the model.
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
  /// Plugins' probes, in the order in which they were begun.
  private(set) var probes: [ProbePart] = []
  /// Question and answer of every row.
  private(set) var texts: [Place: Texts] = [:]
  /// Each run by itself.
  let runs: [(file: String, result: RunResult)]
  public let scoring: TOFUScoring

  public var files: [String] { runs.map(\.file) }

  /// - Parameters:
  ///   - probes: what plugins' probes say of each store.
  ///   - reference: the retrained model's log, for runs that measured none.
  /// - Throws: `malformed` for a record that cannot be read, `invalidArgument` for runs that ask other questions in the same places
  ///   and for those that hold nothing.
  package init(
    _ stores: [ResultStore], probes: [[ProbeSummary]] = [], reference: TOFULog? = nil,
    scoring: TOFUScoring = TOFUScoring()
  ) throws(LacunaError) {
    self.scoring = scoring
    var runs: [(file: String, result: RunResult)] = []
    for (index, store) in stores.enumerated() {
      let summaries = index < probes.count ? probes[index] : []
      runs.append((store.path, try RunResult(store, probes: summaries, reference: reference, scoring: scoring)))
    }
    self.runs = runs
    var logReference: Int?
    if let reference { logReference = add(reference) }
    for (store, run) in zip(stores, runs) { try add(run.result, store, logReference: logReference) }
    order()
    nameApart()
    texts = try collectTexts()
  }

  // MARK: Columns

  private mutating func add(_ log: TOFULog) -> Int {
    let figures = TOFUComparison([(.reference, "reference log", log)], scoring: scoring).columns[0]
    columns.append(
      Column(figures: figures, title: figures.name, file: log.name, identity: nil, tokens: [:], reference: 0))
    return 0
  }

  private mutating func add(_ run: RunResult, _ store: ResultStore, logReference: Int?) throws(LacunaError) {
    var places: [ResultStore.Role: Int] = [:]
    for role in ResultStore.Role.allCases {
      // TOFU's series says how the model was measured, where there is one.
      let all = try store.series().filter { $0.role == role }
      guard let series = all.first(where: { $0 == .tofu(role) }) ?? all.first,
        let identity = try store.identity(of: series)
      else { continue }
      let figures: TOFUComparison.Column
      if let measured = run.tofu?.columns.first(where: { $0.role == role }) {
        figures = measured
      } else {
        let empty = TOFULog(name: "\(store.path), \(role.rawValue)", tasks: [:])
        figures = TOFUComparison([(role, identity.modelName, empty)], scoring: scoring).columns[0]
      }
      let probed = run.probes.map(\.series).filter { $0.role == role }
      places[role] = try place(of: figures, identity, beside: probed, in: store)
    }
    for place in places.values where columns[place].reference == nil {
      columns[place].reference = logReference ?? places[.reference]
    }
    for summary in run.probes {
      guard let place = places[summary.series.role] else { continue }
      ProbePart.add(try ProbePart.Column(summary, column: place, in: store), to: &probes)
    }
  }

  /// The column that shows a run's model: a new one, unless another run measured the same to the last bit, or put other
  /// probes to the same model.
  private mutating func place(
    of figures: TOFUComparison.Column, _ identity: RunIdentity, beside series: [ResultStore.Series],
    in store: ResultStore
  ) throws(LacunaError) -> Int {
    if let known = columns.firstIndex(where: {
      $0.role == figures.role && $0.identity == identity && $0.log.tasks == figures.log.tasks
        && $0.figures.forgetQuality == figures.forgetQuality
    }) {
      return known
    }
    var tokens: [TOFUTask: [Int: TOFUTokens]] = [:]
    for task in TOFUTask.allCases { tokens[task] = try store.tofuTokens(of: figures.role, task: task) }
    var column = Column(
      figures: figures, title: figures.name, file: store.path, identity: identity,
      tokens: tokens.filter { !$0.value.isEmpty })
    guard let same = columns.indices.first(where: { canJoin(column, $0, series) }) else {
      columns.append(column)
      return columns.count - 1
    }
    if columns[same].log.tasks.isEmpty {
      column.reference = columns[same].reference
      columns[same] = column
    }
    return same
  }

  /// Whether a column is of the same model, and nothing in it would stand there twice.
  private func canJoin(_ column: Column, _ index: Int, _ series: [ResultStore.Series]) -> Bool {
    let known = columns[index]
    guard known.role == column.role, let identity = column.identity, known.identity?.isOfModel(identity) == true,
      known.log.tasks.isEmpty || column.log.tasks.isEmpty
    else { return false }
    return !probes.contains { part in
      part.columns.contains { $0.column == index && series.contains($0.summary.series) }
    }
  }

  private mutating func order() {
    let story: [ResultStore.Role] = [.original, .model, .reference]
    let places = story.flatMap { role in columns.indices.filter { columns[$0].role == role } }
    let old = columns
    columns = places.map { old[$0] }
    for index in columns.indices {
      columns[index].reference = columns[index].reference.flatMap { places.firstIndex(of: $0) }
    }
    for part in probes.indices { probes[part].move { places.firstIndex(of: $0) ?? $0 } }
  }

  /// Names that several columns bear get behind them what tells them apart: the role, the run's file or both.
  private mutating func nameApart() {
    for (_, same) in Dictionary(grouping: columns.indices, by: { columns[$0].title }) where same.count > 1 {
      let hasRoles = Set(same.map { columns[$0].role }).count > 1
      let hasFiles = Set(same.map { columns[$0].role }).count < same.count
      for index in same {
        let file = columns[index].file.split(separator: "/").last.map(String.init) ?? columns[index].file
        let parts = [hasRoles ? roleTitle(index) : nil, hasFiles ? file : nil]
        columns[index].title += " (\(parts.compactMap(\.self).joined(separator: ", ")))"
      }
    }
  }

  func roleTitle(_ column: Int) -> String {
    switch columns[column].role {
    case .model: "judged"
    case .original: "original"
    case .reference: "retrained"
    }
  }

  // MARK: Whole runs

  /// One run's as `RunResult.json`; several as `{"runs":[...]}`, each with its "file" before them.
  public var json: String {
    if let only = runs.first, runs.count == 1 { return only.result.json }
    let entries = runs.map { JSONText.object([("file", .string($0.file))] + $0.result.members) }
    return String(decoding: JSONText.object([("runs", .array(entries))]).compact(), as: UTF8.self)
  }

  var hasTOFU: Bool { runs.contains { $0.result.tofu != nil } }

  /// Why a forget quality is missing; see `TOFUComparison.Column`.
  package var refusals: [LacunaError] { runs.flatMap(\.result.refusals) }

  /// Writes the logs of the first run, as `TOFUComparison.write(to:)` does.
  /// - Throws: `invalidArgument` where TOFU was not measured, `resource` naming the file.
  package func writeLogs(to directory: String) throws(LacunaError) {
    try runs.first?.result.writeLogs(to: directory)
  }
}
