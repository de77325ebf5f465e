package import LacunaEngine

/// What a plugin's Lua returned, checked: definitions by name, their functions held in the plugin's state.
package struct PluginKinds {
  package struct Sampler {
    package let schema: ParameterSchema
    let stage: LuaStage.Definition
  }

  package struct Decoder {
    package let summary: String?
    package let schema: ParameterSchema
    let run: LuaReference
  }

  package struct Pipeline {
    package let summary: String?
    package let input: ParameterSchema
    let output: ParameterSchema?
    let run: LuaReference
  }

  /// Run by the evaluation, which keeps every record and calls `summary` without a model.
  package struct Probe {
    package let summaryText: String?
    /// Which rows are measured: "forget", "retain", "holdout", ...; the forget set where none is named.
    package let tasks: [String]
    /// Models that `measure` needs in memory beside the one that it is about.
    package let companions: [PluginProbe.Companion]
    /// Formats that weights are rounded to, for a probe of what that changes; else empty.
    package let formats: [WeightChoice]
    package let schema: ParameterSchema
    /// measure(item, ctx) -> record, or nil, err.
    let measure: LuaReference
    /// summary(records, ctx) -> table.
    let summary: LuaReference
  }

  package struct Template {
    package let summary: String?
    let render: LuaReference
    let stop: [String]
    /// Renders the checkpoint's own template, which `render` then gets, and writes BOS as that says.
    let isCheckpoints: Bool
  }

  package struct Tool {
    package let summary: String?
    package let schema: ParameterSchema
    let run: LuaReference
  }

  package private(set) var samplers: [String: Sampler] = [:]
  package private(set) var decoders: [String: Decoder] = [:]
  package private(set) var pipelines: [String: Pipeline] = [:]
  package private(set) var probes: [String: Probe] = [:]
  package private(set) var templates: [String: Template] = [:]
  package private(set) var tools: [String: Tool] = [:]
  private(set) var hooks: LuaValue = .nil

  /// - Parameter value: { samplers = { NAME = { ... } }, decoders = ..., hooks = { on_token = ... } }.
  init(_ value: LuaValue, _ fault: @escaping (String) -> HostFault) throws {
    let fields = try DefinitionFields(value, PluginManifest.Kind.allCases.map(\.tableKey), fault)
    func read<Definition>(
      _ kind: PluginManifest.Kind, _ names: [String], _ make: (DefinitionFields, String) throws -> Definition
    ) throws -> [String: Definition] {
      guard let table = try fields.table(kind.tableKey) else { return [:] }
      var definitions: [String: Definition] = [:]
      guard table.array.isEmpty else { throw fault("\(kind.tableKey): expected definitions by name, found a list") }
      for (key, value) in table.fields {
        guard case .string(let name) = key, PluginManifest.isIdentifier(name) else {
          throw fault("\(kind.tableKey): a name must be of small letters, digits and \"_\", found \(key.shown)")
        }
        let label = "\(kind.rawValue) \"\(name)\""
        definitions[name] = try make(DefinitionFields(value, names) { fault("\(label): \($0)") }, name)
      }
      return definitions
    }
    samplers = try read(.sampler, LuaStage.Definition.fields) { fields, name in
      Sampler(schema: try fields.schema("params"), stage: try LuaStage.Definition(name: name, fields))
    }
    decoders = try read(.decoder, ["description", "params", "run"]) { fields, _ in
      Decoder(
        summary: try fields.string("description"), schema: try fields.schema("params"), run: try fields.required("run"))
    }
    pipelines = try read(.pipeline, ["description", "input", "output", "run"]) { fields, _ in
      Pipeline(
        summary: try fields.string("description"), input: try fields.schema("input"),
        output: fields["output"].isNil ? nil : try fields.schema("output"), run: try fields.required("run"))
    }
    probes = try read(.probe, ["description", "data", "models", "formats", "params", "measure", "summary"]) {
      fields, _ in
      let tasks = try fields.strings("data")
      return Probe(
        summaryText: try fields.string("description"), tasks: tasks.isEmpty ? ["forget"] : tasks,
        companions: try fields.choices("models", PluginProbe.Companion.self),
        formats: try fields.choices("formats", WeightChoice.self), schema: try fields.schema("params"),
        measure: try fields.required("measure"), summary: try fields.required("summary"))
    }
    templates = try read(.template, ["checkpoint", "description", "render", "stop"]) { fields, _ in
      Template(
        summary: try fields.string("description"), render: try fields.required("render"),
        stop: try fields.strings("stop"), isCheckpoints: try fields.bool("checkpoint") ?? false)
    }
    tools = try read(.tool, ["description", "params", "run"]) { fields, _ in
      Tool(
        summary: try fields.string("description"), schema: try fields.schema("params"),
        run: try fields.required("run"))
    }
    hooks = fields["hooks"]
    if !hooks.isNil { _ = try HookSet(hooks, named: "hooks") { fault("hooks: \($0)") } }
  }

  /// Everything that is defined, as a manifest lists it.
  var provisions: Set<PluginManifest.Provision> {
    var all: Set<PluginManifest.Provision> = []
    for (kind, names) in [
      (PluginManifest.Kind.sampler, Array(samplers.keys)), (.decoder, Array(decoders.keys)),
      (.pipeline, Array(pipelines.keys)), (.probe, Array(probes.keys)), (.template, Array(templates.keys)),
      (.tool, Array(tools.keys)),
    ] {
      for name in names { all.insert(PluginManifest.Provision(kind: kind, name: name)) }
    }
    if !hooks.isNil { all.insert(PluginManifest.Provision(kind: .hooks, name: "")) }
    return all
  }
}
