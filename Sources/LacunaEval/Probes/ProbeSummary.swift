package import LacunaEngine
package import LacunaScript

/// What a probe says of one model's records. Made from the records: no model is needed.
package struct ProbeSummary: Sendable {
  package let series: ResultStore.Series
  package let modelName: String
  package let recordCount: Int
  /// Whether the plugin is another than the one that made the records.
  package let isOfOtherVersion: Bool
  /// What the probe's `summary` returned: an object of figures.
  package let value: JSONValue
  /// The same as JSON text with sorted names.
  package let text: String

  /// Of every series of a plugin's probe that a store holds, in the order in which they were begun.
  /// - Parameter failed: gets what one of them fails with; the others are summed up all the same.
  /// - Throws: `notFound` if a plugin is not there; `invalidArgument` if two models were asked about different rows; what the
  ///   plugin fails with: unless `failed` takes it.
  package static func all(
    in store: ResultStore, _ registry: PluginRegistry, failed: (any Error) throws -> Void = { throw $0 }
  ) throws -> [ProbeSummary] {
    let all = try store.series().filter { $0.probe != ResultStore.Series.tofu(.model).probe }
    return try all.compactMap { series in
      do {
        return try summary(of: series, among: all.filter { $0.probe == series.probe }, in: store, registry)
      } catch {
        try failed(error)
        return nil
      }
    }
  }

  private static func summary(
    of series: ResultStore.Series, among others: [ResultStore.Series], in store: ResultStore,
    _ registry: PluginRegistry
  ) throws -> ProbeSummary? {
    guard let identity = try store.identity(of: series) else { return nil }
    let settings = try JSONFields(Array(identity.parameters.utf8), file: "\(store.path): \(series.probe)")
    let probe = try PluginProbe(series.probe, parameters: settings["params"] ?? .object([:]), in: registry)
    let own = try store.records(of: series)
    guard !own.isEmpty else { return nil }

    var records = PluginProbe.Records()
    records.own = own.map(\.value)
    records.format = series.format
    records.split = try settings.string("split") ?? ""
    for companion in PluginProbe.Companion.allCases {
      guard let role = ResultStore.Role(rawValue: companion.rawValue),
        let other = others.first(where: { $0.role == role && $0.format == series.format })
          ?? others.first(where: { $0.role == role })
      else { continue }
      records.others[companion] = try store.records(of: other, matching: own, series)
    }
    for other in others where other.role == series.role && !other.format.isEmpty {
      records.formats[other.format] = try store.records(of: other, matching: own, series)
    }
    let text = try probe.summary(records)
    return ProbeSummary(
      series: series, modelName: identity.modelName, recordCount: own.count,
      isOfOtherVersion: try probe.digest() != identity.probeHash,
      value: try JSONValue.parse(Array(text.utf8), file: series.probe), text: text)
  }
}

extension ResultStore {
  /// A series' records of all tasks: tasks by name, rows in the order of the data.
  package func records(of series: Series) throws(LacunaError) -> [Record] {
    var all: [Record] = []
    for task in try tasks(of: series) { all += try records(of: series, task: task) }
    return all
  }

  /// - Throws: `invalidArgument` unless they are of the same rows.
  fileprivate func records(
    of other: Series, matching own: [Record], _ series: Series
  ) throws(LacunaError) -> [String] {
    let records = try records(of: other)
    guard records.map(\.place) == own.map(\.place) else {
      func name(_ series: Series) -> String {
        [series.role.rawValue, series.format].filter { !$0.isEmpty }.joined(separator: ", ")
      }
      throw LacunaError(
        .invalidArgument,
        "\(path): \(series.probe): expected \(name(other)) to have the \(own.count) rows of \(name(series)), found "
          + "\(records.count == own.count ? "others" : "\(records.count)"); --resume finishes a run")
    }
    return records.map(\.value)
  }
}

extension ResultStore.Record {
  fileprivate var place: String { "\(task) \(row) \(itemHash)" }
}
