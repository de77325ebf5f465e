internal import LacunaEngine

/// What a plugin's definitions say about themselves, for reference pages.
package enum PluginReference {
  package struct Entry {
    package let kind: PluginManifest.Kind
    package let name: String
    package let summary: String?
    package let parameters: [ParameterSchema.Parameter]
  }

  /// In the order of kinds, then by name.
  package static func entries(_ plugin: String, _ registry: PluginRegistry) throws -> [Entry] {
    let kinds = try scriptErrors { try registry.plugin(named: plugin).kinds }
    var entries: [Entry] = []
    func add<Definition>(
      _ kind: PluginManifest.Kind, _ definitions: [String: Definition],
      _ describe: (Definition) -> (String?, ParameterSchema)
    ) {
      for (name, definition) in definitions.sorted(by: { $0.key < $1.key }) {
        let (summary, schema) = describe(definition)
        entries.append(Entry(kind: kind, name: name, summary: summary, parameters: schema.parameters))
      }
    }
    add(.sampler, kinds.samplers) { ($0.stage.summary, $0.schema) }
    add(.decoder, kinds.decoders) { ($0.summary, $0.schema) }
    if !kinds.hooks.isNil { entries.append(Entry(kind: .hooks, name: plugin, summary: nil, parameters: [])) }
    add(.pipeline, kinds.pipelines) { ($0.summary, $0.input) }
    add(.probe, kinds.probes) { ($0.summaryText, $0.schema) }
    add(.template, kinds.templates) { ($0.summary, .empty) }
    add(.tool, kinds.tools) { ($0.summary, $0.schema) }
    return entries
  }
}

/// Whatever Lua fails with, as an error that stands for itself.
func scriptErrors<Value>(_ body: () throws -> Value) throws -> Value {
  do {
    return try body()
  } catch let failure as LuaFailure {
    throw failure.error
  } catch let fault as HostFault {
    throw ScriptError(fault)
  }
}
