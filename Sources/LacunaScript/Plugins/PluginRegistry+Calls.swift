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

  /// A chat template: built in, a plugin's, or the checkpoint's own.
  /// - Parameters:
  ///   - name: nil for the checkpoint's own.
  ///   - engine: nil where a name is given and no model is at hand.
  /// - Throws: `invalidArgument` for an unknown name; `unsupported` where none is named and the checkpoint has none.
  public func template(_ name: String?, for engine: Engine?) throws -> ChatTemplate {
    let name = try name ?? checkpointRenderer(engine)
    if let template = ChatTemplate.builtIn.first(where: { $0.name == name }) { return template }
    guard try catalog().find(.template, name) != nil else {
      let names = ChatTemplate.builtIn.map(\.name) + (try catalog().names(of: .template))
      throw LacunaError(
        .invalidArgument,
        "template: expected \(names.joined(separator: ", ")), found \"\(name)\"\(NearestName.hint(name, in: names))")
    }
    return PluginTemplate(try template(named: name), engine: engine).chatTemplate
  }

  /// The plugin's template that renders what checkpoints bring along.
  private func checkpointRenderer(_ engine: Engine?) throws(LacunaError) -> String {
    guard let engine else {
      throw LacunaError(.invalidArgument, "template: expected a name or a model, found neither")
    }
    let names = ChatTemplate.builtIn.map { "\"\($0.name)\"" }.joined(separator: ", ")
    guard engine.chatTemplate != nil else {
      throw LacunaError(
        .unsupported, "\(engine.info.name): the checkpoint has no chat template; name one: template = \(names)")
    }
    guard try catalog().find(.template, PluginTemplate.checkpointRenderer) != nil else {
      throw LacunaError(
        .notFound,
        "\(engine.info.name): the plugin that renders a checkpoint's chat template, "
          + "\(PluginTemplate.checkpointRenderer), is not installed; install it, or name another: template = \(names)")
    }
    return PluginTemplate.checkpointRenderer
  }
}
