package import LacunaEngine
package import LacunaScript

/// One plugin's probe put to one model, recorded as it goes.
package struct ProbeEvaluation {
  package let probe: PluginProbe
  package let store: ResultStore
  package let series: ResultStore.Series
  package var selection = ItemSelection()
  package var seed: UInt64 = 0
  /// Items under way at a time.
  package var width = PluginProbe.width
  /// Asked between passes.
  package var isCancelled: () -> Bool = { false }
  package var onProgress: (EvaluationProgress) -> Void = { _ in }

  /// - Parameter format: how the weights were rounded, where the probe is measured in several formats.
  package init(_ probe: PluginProbe, store: ResultStore, role: ResultStore.Role, format: String = "") {
    self.probe = probe
    self.store = store
    series = ResultStore.Series(probe: probe.name, role: role, format: format)
  }

  /// Measures what the selection holds and the store has not.
  /// - Parameter companions: the models that the probe named.
  /// - Throws: `invalidArgument` if the store's series began with another model, other data or other settings; whatever the
  ///   plugin fails with, naming the row. What was measured before is in the store.
  package func run(
    _ engine: Engine, companions: [PluginProbe.Companion: Engine], data: ProbeData
  ) throws {
    let counts = Dictionary(grouping: data.items, by: \.task).mapValues { selection.wholeCount(of: $0.count) }
    try store.begin(
      try identity(engine, companions, data), role: series.role, format: series.format, wanted: counts)
    var known: [String: Set<Int>] = [:]
    for task in data.tasks { known[task] = Set(try store.records(of: series, task: task).map(\.row)) }
    let wanted = data.items(selection)
    try store.add(wanted.map { ResultStore.Item(hash: $0.hash, question: $0.question, answer: $0.answer) })
    let missing = wanted.filter { known[$0.task]?.contains($0.row) != true }
    var measured = 0
    let start = ContinuousClock.now
    func report() {
      onProgress(
        EvaluationProgress(
          label: [probe.name, series.role.rawValue, series.format].filter { !$0.isEmpty }.joined(separator: ", "),
          done: wanted.count - missing.count + measured, total: wanted.count, measured: measured,
          seconds: (ContinuousClock.now - start) / .seconds(1)))
    }
    report()
    let items = missing.map { item in
      PluginProbe.Item(
        task: item.task, row: item.row, split: data.split.rawValue, fields: item.fields, seed: itemSeed(item))
    }
    try probe.measure(
      items, engine: engine, companions: companions, width: width, isCancelled: isCancelled
    ) { index, value in
      let item = missing[index]
      try store.add(
        [ResultStore.Record(task: item.task, row: item.row, itemHash: item.hash, value: value)], to: series)
      measured += 1
      report()
    }
  }

  /// Drawn from the run's: an item's samples do not depend on which others are measured.
  private func itemSeed(_ item: ProbeData.Item) -> UInt64 {
    item.task.utf8.reduce(SeededRandom.hash(seed, UInt64(item.row))) { SeededRandom.hash($0, UInt64($1)) }
  }

  private func identity(
    _ engine: Engine, _ companions: [PluginProbe.Companion: Engine], _ data: ProbeData
  ) throws(LacunaError) -> RunIdentity {
    var members: [(String, JSONText)] = [
      ("params", .verbatim(probe.parameters)), ("split", .string(data.split.rawValue)),
      ("tasks", .array(data.tasks.map { .string($0) })),
    ]
    for (companion, engine) in companions.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
      members.append((companion.rawValue, .string(engine.info.fingerprint)))
    }
    return RunIdentity(
      probe: probe.name, probeHash: try probe.digest(),
      parameters: String(decoding: JSONText.object(members).compact(), as: UTF8.self),
      dataHash: ContentHash.of(data.items.map(\.hash)), modelName: engine.info.name,
      modelHash: engine.info.fingerprint, weights: engine.ranWeights,
      precision: engine.options.precision.rawValue, kvType: engine.info.kvType.rawValue,
      kernels: engine.info.kernels, seed: seed)
  }
}
