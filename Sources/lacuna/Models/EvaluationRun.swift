import LacunaEngine
import LacunaEval
import LacunaScript

/// `lacuna eval`: which probes are put to which models, one model in memory at a time but for what probes ask for beside it.
struct EvaluationRun {
  let registry: PluginRegistry
  private let isTOFU: Bool
  private let probes: [PluginProbe]
  private let model: ModelOptions
  private let measurement: MeasurementOptions
  private let scoring: ScoringOptions
  private let decoding: DecodingOptions

  /// - Throws: `notFound` for a probe; `invalidArgument` for its parameters, or for a model that it needs and that was not
  ///   given.
  init(
    _ words: [String], model: ModelOptions, plugins: PluginOptions, measurement: MeasurementOptions,
    scoring: ScoringOptions, decoding: DecodingOptions
  ) throws {
    self.model = model
    self.measurement = measurement
    self.scoring = scoring
    self.decoding = decoding
    registry = PluginRegistry(try ScriptSupport.environment(model, seed: measurement.seed, plugins: plugins))
    isTOFU = words.contains(Self.tofu)
    probes = try words.filter { $0 != Self.tofu }.map { [registry] in try PluginProbe($0, in: registry) }
    let names = words.filter { $0 == Self.tofu } + probes.map(\.name)
    if let twice = names.first(where: { name in names.count { $0 == name } > 1 }) {
      throw LacunaError(.invalidArgument, "\(twice): expected each probe once, found it twice")
    }
    if isTOFU, measurement.formats != nil {
      throw LacunaError(.invalidArgument, "--formats is for plugins' probes; for tofu give one format with --weights")
    }
    for probe in probes {
      for companion in probe.companions where name(of: companion) == nil {
        throw LacunaError(.invalidArgument, "\(probe.name): needs --\(companion.rawValue)")
      }
    }
  }

  private static let tofu = "tofu"

  private func name(of companion: PluginProbe.Companion) -> String? {
    switch companion {
    case .original: measurement.original
    case .reference: measurement.reference
    }
  }

  /// - Parameter reference: the log that tofu's answers are to be held against.
  /// - Returns: the store with everything that was measured.
  /// - Throws: before there is a store, for models, data and rows; then whatever a measurement throws.
  func run(_ reference: TOFULog?) throws -> ResultStore {
    let data = try TOFUData(try DataChoice.resolve(measurement.data ?? ""))
    let split = try measurement.split ?? data.defaultSplit()
    let models = try measurement.models(model.model).map { (role: $0.role, entry: try ModelChoice.resolve($0.name)) }
    var items: [String: ProbeData] = [:]
    for probe in probes {
      items[probe.name] = try ProbeData(data, split: split, tasks: measurement.tasks ?? probe.tasks)
    }
    try checkSelection(data, split, Array(items.values), reference)

    let store = try ResultStore(
      path: measurement.out ?? ResultStore.inMemory, measurement.resume ? .createOrContinue : .create)
    do {
      try measure(models, data, split, items, in: store)
    } catch {
      if Interrupt.isRequested, let out = measurement.out {
        printToStandardError("lacuna: \(out) holds what was measured; --resume goes on with it")
      }
      throw error
    }
    return store
  }

  /// - Throws: `invalidArgument` where no row is left to measure, or where the reference has others.
  private func checkSelection(
    _ data: TOFUData, _ split: TOFUSplit, _ items: [ProbeData], _ reference: TOFULog?
  ) throws(LacunaError) {
    var count = items.reduce(0) { $0 + $1.items(measurement.selection).count }
    if isTOFU {
      count += try TOFUEvaluation.rowCount(
        data, split: split, profile: scoring.scoring().profile, selection: measurement.selection, reference: reference)
    }
    guard count > 0 else {
      throw LacunaError(
        .invalidArgument, "no task has a row for this part: --shard or --limit leaves nothing to measure")
    }
  }

  private func measure(
    _ models: [(role: ResultStore.Role, entry: ModelRegistry.Entry)], _ data: TOFUData, _ split: TOFUSplit,
    _ items: [String: ProbeData], in store: ResultStore
  ) throws {
    let stops = probes.map(\.interrupt)
    Interrupt.watch { for stop in stops { stop() } }
    let progress = ProgressLine("")
    defer { progress.finish() }
    for (role, entry) in models {
      for format in formats(role) {
        let engine = try load(entry, format)
        if isTOFU, format == nil {
          var evaluation = TOFUEvaluation(store: store, role: role)
          evaluation.split = split
          evaluation.profile = scoring.scoring().profile
          evaluation.decoding = decoding.decoding(engine.config.sampling, seed: measurement.seed)
          evaluation.selection = measurement.selection
          evaluation.maxTokens = decoding.maxTokens
          evaluation.sharesPrefixes = measurement.prefixSharing
          evaluation.isCancelled = { Interrupt.isRequested }
          evaluation.onProgress = { progress.update($0) }
          try evaluation.run(engine, data: data)
        }
        for probe in probes where measures(probe, role, format) {
          guard let items = items[probe.name] else { continue }
          var evaluation = ProbeEvaluation(probe, store: store, role: role, format: format?.rawValue ?? "")
          evaluation.selection = measurement.selection
          evaluation.seed = measurement.seed
          evaluation.isCancelled = { Interrupt.isRequested }
          evaluation.onProgress = { progress.update($0) }
          try evaluation.run(engine, companions: try companions(of: probe), data: items)
        }
        progress.finish()
      }
    }
  }

  // MARK: Formats

  /// nil is what --weights says.
  private func formats(of probe: PluginProbe) -> [WeightChoice?] {
    let given = measurement.formatNames.compactMap(WeightChoice.init(rawValue:))
    let all = given.isEmpty ? probe.formats : given
    return all.isEmpty ? [nil] : all
  }

  /// In which formats the model of a role is loaded. The models beside the judged one are measured in the first only.
  private func formats(_ role: ResultStore.Role) -> [WeightChoice?] {
    let all: [WeightChoice?] = (isTOFU ? [nil] : []) + probes.flatMap { formats(of: $0) }
    var ordered: [WeightChoice?] = []
    for format in all where !ordered.contains(format) {
      let isWanted = isTOFU && format == nil || probes.contains { measures($0, role, format) }
      if isWanted { ordered.append(format) }
    }
    return ordered
  }

  private func measures(_ probe: PluginProbe, _ role: ResultStore.Role, _ format: WeightChoice?) -> Bool {
    // A model beside itself would tell nothing.
    if probe.companions.contains(where: { $0.rawValue == role.rawValue }) { return false }
    let formats = formats(of: probe)
    return role == .model ? formats.contains(format) : formats.first == format
  }

  // MARK: Models

  private func load(_ entry: ModelRegistry.Entry, _ format: WeightChoice?) throws(LacunaError) -> Engine {
    var options = model.engineOptions
    if let format { options.weights = format }
    return try ModelOptions.load(entry, options: options)
  }

  /// In memory for as long as the probe runs.
  private func companions(of probe: PluginProbe) throws -> [PluginProbe.Companion: Engine] {
    var engines: [PluginProbe.Companion: Engine] = [:]
    for companion in probe.companions {
      if let name = name(of: companion) {
        engines[companion] = try load(try ModelChoice.resolve(name), formats(of: probe).first ?? nil)
      }
    }
    return engines
  }
}

/// Runs `body` on a thread with the stack that plugins need.
func scriptThread(_ body: @escaping () throws -> Void) throws {
  try ScriptThread.run { Result { try body() } }.get()
}
