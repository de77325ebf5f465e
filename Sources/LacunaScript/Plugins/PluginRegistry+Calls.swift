public import LacunaEngine

// Running what plugins provide.

extension PluginRegistry {
  /// Runs a pipeline with the default model: its input and output are checked against its schemas.
  /// - Throws: `invalidArgument` for the input; `HostFault` with the code and message that the pipeline returned.
  func runPipeline(_ word: String, input: LuaTable) throws -> LuaTable {
    let call = try pipelineCall(word, input: input)
    try call.work.run()
    return try call.output()
  }

  /// A run of a pipeline, and what it gives when that is done; as `runPipeline`.
  func pipelineCall(_ word: String, input: LuaTable) throws -> (work: PluginCall, output: () throws -> LuaTable) {
    let (plugin, name, pipeline) = try pipeline(named: word)
    let label = "pipeline \"\(plugin.name)/\(name)\""
    let input = try pipeline.input.resolve(input, subject: label, noun: "input")
    let context = plugin.makeContext(model: try environment.resolveModel(nil), seed: environment.seed)
    let work = try call(plugin, pipeline.run, [.table(input), context])
    return (
      work,
      {
        let value = try plugin.value(work.results, of: label)
        guard case .table(let output) = value, output.array.isEmpty else {
          throw HostFault.error(
            code: "invalid_result", message: "\(label): expected a table with named fields, found \(value.shown)")
        }
        return try pipeline.output?.resolve(output, subject: label, noun: "output") ?? output
      }
    )
  }

  /// Calls a tool: its arguments are checked first.
  func callTool(_ word: String, _ arguments: LuaTable) throws -> LuaValue {
    let call = try toolCall(word, arguments)
    try call.work.run()
    return try call.output()
  }

  /// A call of a tool, and what it gives when that is done.
  func toolCall(_ word: String, _ arguments: LuaTable) throws -> (work: PluginCall, output: () throws -> LuaValue) {
    let (plugin, name, tool) = try tool(named: word)
    let label = "tool \"\(plugin.name)/\(name)\""
    let arguments = try tool.schema.resolve(arguments, subject: label, noun: "argument")
    let work = try call(
      plugin, tool.run, [.table(arguments), plugin.makeContext(model: nil, seed: environment.seed)])
    return (work, { try plugin.value(work.results, of: label) })
  }

  /// The tool's result as JSON text.
  package func callTool(_ word: String, _ arguments: KeyValuePairs<String, LuaValue>) throws -> String {
    guard case .table(let table) = LuaValue.record(arguments) else { preconditionFailure("a record is a table") }
    return JSONCodec.line(try callTool(word, table))
  }

  /// A chat template: built in, or a plugin's.
  /// - Parameters:
  ///   - name: nil for the one that fits the checkpoint.
  ///   - engine: nil where a name is given and no model is at hand.
  /// - Throws: `invalidArgument` for an unknown name; `unsupported` where none is named and none fits.
  public func template(_ name: String?, for engine: Engine?) throws -> ChatTemplate {
    guard let name, !ChatTemplate.builtIn.contains(where: { $0.name == name }),
      try catalog().find(.template, name) != nil
    else {
      return try ChatTemplate.named(name, for: engine, others: try catalog().names(of: .template))
    }
    let (plugin, _, template) = try template(named: name)
    let renderer = PluginTemplate(plugin: plugin, name: name, render: template.render)
    return ChatTemplate(
      name: name, render: { (messages) throws(LacunaError) in try renderer.segments(of: messages) },
      stop: template.stop)
  }
}

/// A template whose segments a plugin makes.
private final class PluginTemplate: @unchecked Sendable {
  // SAFETY: a template is used on the thread of the registry that it came from, as everything of a plugin's is.
  private let plugin: Plugin
  private let name: String
  private let render: LuaReference

  init(plugin: Plugin, name: String, render: LuaReference) {
    self.plugin = plugin
    self.name = name
    self.render = render
  }

  func segments(of messages: [ChatMessage]) throws(LacunaError) -> [ChatTemplate.Segment] {
    do {
      let list = messages.map { LuaValue.record(["role": .string($0.role), "content": .string($0.content)]) }
      let value = try plugin.value(try plugin.call(render, [.list(list), .table(LuaTable())]), of: "render")
      guard case .table(let table) = value, table.fields.isEmpty else { throw fault(value) }
      return try table.array.map { element in
        guard case .table(let segment) = element, case .string(let text) = segment["text"] else { throw fault(element) }
        if case .bool(true) = segment["special"] { return .markup(text) }
        return .content(text)
      }
    } catch let error as LacunaError {
      throw error
    } catch {
      throw LacunaError(.invalidArgument, "template \(name): \(ScriptError(error).description)")
    }
  }

  private func fault(_ found: LuaValue) -> LacunaError {
    LacunaError(
      .invalidArgument,
      "template \(name): render must return a list of { text = , special = }, found \(found.shown)")
  }
}
