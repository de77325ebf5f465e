internal import LacunaEngine

extension ScriptContext {
  /// t.probe(name, { model = , items = , records = , params = , original = , reference = , formats = , format = , task = ,
  /// split = , seed = , summary = }): { records, summary }.
  ///
  /// With `items` they are measured; with `records` those are summed up. `original` and `reference` are models where items are
  /// measured, and lists of records for the summary.
  func registerTestProbe(_ owner: String) {
    state.register(owner, "probe", "string, table") { [unowned self] call in
      let options = try call.options(
        2,
        [
          "model", "items", "records", "params", "original", "reference", "formats", "format", "task", "split", "seed",
          "summary",
        ])
      let probe = try PluginProbe(call.string(1), try options.table("params") ?? LuaTable(), in: registry)
      var records = PluginProbe.Records()
      records.own = try options.has("items") ? measure(probe, options) : Self.records(options["records"], options)
      for companion in PluginProbe.Companion.allCases {
        if case .table = options[companion.rawValue] {
          records.others[companion] = try Self.records(options[companion.rawValue], options)
        }
      }
      for (key, value) in try options.table("formats")?.fields ?? [] {
        guard case .string(let name) = key else { throw options.fault("formats", "records by format", key) }
        records.formats[name] = try Self.records(value, options)
      }
      records.format = try options.string("format") ?? ""
      records.split = try options.string("split") ?? ""
      let isSummedUp = try options.bool("summary") ?? true
      return [
        .record([
          "records": .list(try records.own.map(Self.decode)),
          "summary": isSummedUp ? try Self.decode(try probe.summary(records)) : .nil,
        ])
      ]
    }
  }

  private func measure(_ probe: PluginProbe, _ options: OptionTable) throws -> [String] {
    guard let engine = Self.engine(options["model"]) else { throw options.fault("model", "a model", options["model"]) }
    var companions: [PluginProbe.Companion: Engine] = [:]
    for companion in probe.companions {
      guard let engine = Self.engine(options[companion.rawValue]) else {
        throw options.fault(companion.rawValue, "a model", options[companion.rawValue])
      }
      companions[companion] = engine
    }
    let (seed, task, split) = try (
      options.bits("seed") ?? 0, options.string("task") ?? "forget", options.string("split") ?? ""
    )
    let items = try (options.table("items")?.array ?? []).enumerated().map { row, item in
      PluginProbe.Item(
        task: task, row: row, split: split,
        fields: try JSONValue.parse(Array(JSONCodec.line(item).utf8), file: "items[\(row + 1)]"),
        seed: SeededRandom.hash(seed, UInt64(row)))
    }
    var records = Array(repeating: "", count: items.count)
    try probe.measure(items, engine: engine, companions: companions) { records[$0] = $1 }
    return records
  }

  private static func engine(_ value: LuaValue) -> Engine? {
    if case .object(let object) = value { (object as? ModelObject)?.engine } else { nil }
  }

  private static func records(_ value: LuaValue, _ options: OptionTable) throws -> [String] {
    guard case .table(let table) = value, table.fields.isEmpty else {
      throw options.fault("records", "a list of records", value)
    }
    return table.array.map { JSONCodec.line($0) }
  }

  private static func decode(_ text: String) throws -> LuaValue {
    LuaValue(try JSONValue.parse(Array(text.utf8), file: "record"))
  }
}
