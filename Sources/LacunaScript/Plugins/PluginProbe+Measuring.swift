package import LacunaEngine

extension PluginProbe {
  /// An item and where it comes from.
  package struct Item {
    package let task: String
    /// In its data file, from 0.
    package let row: Int
    package let split: String
    package let fields: JSONValue
    /// Its own.
    package let seed: UInt64

    package init(task: String, row: Int, split: String, fields: JSONValue, seed: UInt64) {
      self.task = task
      self.row = row
      self.split = split
      self.fields = fields
      self.seed = seed
    }

    var place: String { "measure, \(task), row \(row)" }
  }

  /// Items under way at a time.
  package static let width = 8

  /// Measures items side by side: what all of them wait for goes into passes together. `report` gets what `measure` returned
  /// for each, as JSON with sorted names, in the order in which they are done.
  ///
  /// A record is what it would be if its item were measured alone. Where a limit of the plugin is exceeded by what items hold
  /// together, fewer go on side by side.
  /// - Parameter companions: those that the probe named.
  /// - Throws: of the first item that fails `ScriptError` with the plugin's name, task and row, once all before it are
  ///   reported; `cancelled`; what `report` throws.
  package func measure(
    _ items: [Item], engine: Engine, companions: [Companion: Engine], width: Int = Self.width,
    isCancelled: @escaping () -> Bool = { false }, report: @escaping (Int, String) throws -> Void
  ) throws {
    var (missing, width) = (Array(items.indices), width)
    var failure: ItemFailure?
    while !missing.isEmpty {
      let run = ProbeRun(self, items, engine, companions, isCancelled, report)
      let isEnded = try run.measure(missing, width)
      if isEnded {
        // Together they hold more than one of them would.
        if run.failure?.isOfHoldings == true, width > 1 { run.failure = nil }
        width = max(width / 2, 1)
        try loadAnew()
      }
      failure = run.failure ?? failure
      missing.removeAll { run.reported.contains($0) || $0 >= failure?.index ?? .max }
      if !isEnded { break }
    }
    if let failure { throw failure.error }
  }
}

private struct ItemFailure {
  let index: Int
  let error: any Error
  /// Whether it is a limit on what the plugin's calls hold.
  let isOfHoldings: Bool
}

/// Items of a probe under way in one state of its plugin's.
private final class ProbeRun {
  private let probe: PluginProbe
  private let plugin: Plugin
  private let items: [PluginProbe.Item]
  private let engine: Engine
  private let companions: [PluginProbe.Companion: Engine]
  private let isCancelled: () -> Bool
  private let report: (Int, String) throws -> Void
  private var calls: [Int: PluginCall] = [:]
  private(set) var reported: Set<Int> = []
  /// Of the first item that failed so far: those behind it do not count any more.
  var failure: ItemFailure?

  /// The plugin's state was ended.
  private struct Ended: Error {}

  init(
    _ probe: PluginProbe, _ items: [PluginProbe.Item], _ engine: Engine,
    _ companions: [PluginProbe.Companion: Engine], _ isCancelled: @escaping () -> Bool,
    _ report: @escaping (Int, String) throws -> Void
  ) {
    self.probe = probe
    plugin = probe.plugin
    self.items = items
    self.engine = engine
    self.companions = companions
    self.isCancelled = isCancelled
    self.report = report
  }

  /// - Returns: whether a limit has ended the plugin's state.
  func measure(_ indices: [Int], _ width: Int) throws -> Bool {
    let group = WorkGroup(count: indices.count, width: width, budget: plugin.state.companyBudget) {
      try self.start(indices[$0])
    } finish: {
      try self.finish(indices[$0], $1)
    }
    do {
      try probe.registry.company(group).run(isCancelled: isCancelled)
    } catch is Ended {
      return true
    }
    return false
  }

  private func start(_ index: Int) throws -> any Work {
    if let failure { throw failure.error }
    let item = items[index]
    let ctx = plugin.makeContext(
      model: engine, seed: item.seed, params: probe.params,
      [
        "original": handle(.original), "reference": handle(.reference), "task": .string(item.task),
        "row": .count(item.row), "split": .string(item.split),
      ])
    let call = try probe.registry.call(plugin, probe.definition.measure, [LuaValue(item.fields), ctx])
    call.sharers = { [unowned self] in calls.count }
    calls[index] = call
    return ItemWork(call) { [unowned self] in index < failure?.index ?? .max }
  }

  private func handle(_ companion: PluginProbe.Companion) -> LuaValue {
    companions[companion].map { .object(plugin.context.model($0)) } ?? .nil
  }

  private func finish(_ index: Int, _ error: (any Error)?) throws {
    let results = calls.removeValue(forKey: index)?.results ?? []
    guard index < failure?.index ?? .max else { return }
    if isCancelled() { throw LacunaError(.cancelled, "interrupted") }
    let record: String
    do {
      record = try probe.naming(items[index].place) {
        if let error { throw error }
        return try probe.record(results, of: items[index].place)
      }
    } catch let error as ScriptError {
      if error.code == "cancelled" { throw LacunaError(.cancelled, "interrupted") }
      failure = ItemFailure(index: index, error: error, isOfHoldings: plugin.state.hasHeldTooMuch)
      if plugin.state.limitError != nil { throw Ended() }
      return
    }
    reported.insert(index)
    try report(index, record)
  }
}

/// A call that is dropped as soon as it is not wanted any more.
private final class ItemWork: Work {
  private let call: PluginCall
  private let isWanted: () -> Bool

  init(_ call: PluginCall, isWanted: @escaping () -> Bool) {
    self.call = call
    self.isWanted = isWanted
  }

  func advance() throws -> [PassRequest]? { isWanted() ? try call.advance() : nil }
}
