public import LacunaEngine

/// An evaluation of one model, recorded as it goes.
public struct TOFUEvaluation {
  public let store: ResultStore
  public let role: ResultStore.Role
  public var split = TOFUSplit.forget05
  public var profile = TOFUProfile(.paper)
  public var decoding = TOFUDecoding.greedy
  public var selection = ItemSelection()
  /// Of every generated answer, in place of the profile's limit.
  public var maxTokens: Int?
  /// See `TOFUMeasurement`.
  public var sharesPrefixes = true
  /// Asked between passes.
  public var isCancelled: () -> Bool = { false }
  public var onProgress: (EvaluationProgress) -> Void = { _ in }

  public init(store: ResultStore, role: ResultStore.Role) {
    self.store = store
    self.role = role
  }

  /// Changes with what is measured and how: records of two versions are not mixed.
  private static let measurementVersion = "tofu 3"

  /// Rows that a run will measure, before it begins.
  /// - Parameter reference: a log that the run is to be held against.
  /// - Throws: `notFound`, `malformed` for data; `invalidArgument` where the log has other rows.
  public static func rowCount(
    _ data: TOFUData, split: TOFUSplit, profile: TOFUProfile, selection: ItemSelection, reference: TOFULog? = nil
  ) throws(LacunaError) -> Int {
    var planned = TOFULog(name: "the run", tasks: [:])
    for task in TOFUTask.allCases {
      let items = try data.rows(of: task, split: split).prefix(profile.rowLimit ?? .max)
      planned.tasks[task] = selection.rows(of: items.count).map { TOFURow(unmeasured: items[$0], index: $0) }
    }
    if let reference { try planned.check(alignsWith: reference) }
    return planned.tasks.values.reduce(0) { $0 + $1.count }
  }

  /// Measures what the selection holds and the store has not.
  /// - Throws: `invalidArgument` if the store's run began with another model, other data or other settings; `malformed` for
  ///   data; whatever the engine throws. What was measured before is in the store.
  public func run(_ engine: Engine, data: TOFUData) throws {
    var measurement = try TOFUMeasurement(engine: engine, profile: profile, decoding: decoding)
    measurement.sharesPrefixes = sharesPrefixes
    guard let tokenizer = engine.tokenizer else { return }
    let questions = try TOFUQuestion.all(
      in: data, split: split, profile: profile, tokenizer: tokenizer, maxTokens: maxTokens)
    let counts = Dictionary(grouping: questions, by: \.task.rawValue).mapValues { selection.wholeCount(of: $0.count) }
    try store.begin(identity(engine, questions), role: role, wanted: counts)
    let missing = try missing(questions)
    let total = missing.wanted
    var done = total - missing.questions.count
    var measured = 0
    let start = ContinuousClock.now
    let label = "tofu, \(role.rawValue)"
    onProgress(EvaluationProgress(label: label, done: done, total: total, measured: 0, seconds: 0))
    try measurement.run(missing.questions, isCancelled: isCancelled) { record in
      try store.add([record], role: role)
      done += 1
      measured += 1
      let seconds = (ContinuousClock.now - start) / .seconds(1)
      onProgress(EvaluationProgress(label: label, done: done, total: total, measured: measured, seconds: seconds))
    }
  }

  private func identity(_ engine: Engine, _ questions: [TOFUQuestion]) -> RunIdentity {
    RunIdentity(
      probe: "tofu", probeHash: ContentHash.of([Self.measurementVersion]),
      parameters: String(decoding: parameters.compact(), as: UTF8.self),
      dataHash: ContentHash.of(questions.map(\.hash)), modelName: engine.info.name, modelHash: engine.info.fingerprint,
      weights: engine.ranWeights, precision: engine.options.precision.rawValue,
      kvType: engine.info.kvType.rawValue, kernels: engine.info.kernels, seed: decoding.seed)
  }

  private var parameters: JSONText {
    .object([
      ("decoding", .string(decoding.text)), ("profile", .string(profile.name.rawValue)),
      ("split", .string(split.rawValue)),
    ])
  }

  /// - Throws: `invalidArgument` where a recorded item is another than the data's.
  private func missing(
    _ questions: [TOFUQuestion]
  ) throws(LacunaError) -> (questions: [TOFUQuestion], wanted: Int) {
    var missing: [TOFUQuestion] = []
    var wanted = 0
    for task in TOFUTask.allCases {
      let asked = questions.filter { $0.task == task }
      let records = try store.records(of: role, task: task.rawValue)
      for record in records where !asked.indices.contains(record.row) || asked[record.row].hash != record.itemHash {
        throw LacunaError(
          .invalidArgument, "\(store.path): \(task.rawValue), row \(record.row): recorded of another question")
      }
      let known = Set(records.map(\.row))
      let rows = selection.rows(of: asked.count)
      wanted += rows.count
      missing += rows.filter { !known.contains($0) }.map { asked[$0] }
    }
    return (missing, wanted)
  }
}

extension TOFURow {
  /// A row that is only asked so far: to see whether others are of the same question.
  fileprivate init(unmeasured item: TOFUItem, index: Int) {
    let nothing = Loss(average: .nan)
    self.init(
      index: index, answer: nothing, paraphrase: nothing, perturbed: item.perturbedAnswers.map { _ in nothing },
      rouge1Recall: .nan, rougeLRecall: .nan,
      generated: Generated(prompt: TOFUQuestion.prompt(item), text: "", reference: item.answer))
  }
}
