internal import LacunaEngine

/// A checked list of stages, as scripts hold it. Every generation gets a chain of its own from it.
final class ChainObject: ScriptObject {
  enum Stage {
    case native(StageDescription)
    case script(LuaStage.Definition, LuaTable)
    /// By name, so that a chain goes on with the plugin as it is by then.
    case plugin(String, LuaTable)
  }

  static var scriptType: ScriptType { .chain }
  let stages: [Stage]

  init(_ stages: [Stage]) { self.stages = stages }

  /// A chain for one generation.
  /// - Parameter engine: nil where there are logits only.
  func make(vocabularySize: Int, engine: Engine?, in context: ScriptContext) throws -> SamplerChain {
    let stages = try stages.map { stage -> SamplerChain.Stage in
      switch stage {
      case .native(let description): .native(description)
      case .script(let definition, let parameters):
        .external(
          name: definition.name,
          try LuaStage(
            definition, parameters: parameters, context: context.stageContext(engine, vocabularySize),
            in: definition.home))
      case .plugin(let name, let given):
        try context.registry.stage(name, given, vocabularySize: vocabularySize, engine: engine)
      }
    }
    return try SamplerChain(stages, vocabularySize: vocabularySize, tokenizer: engine?.tokenizer)
  }

  // MARK: Reading what a script wrote

  /// A chain's handle, a list of stages, or text as on the command line.
  static func read(_ value: LuaValue, _ fault: (String) -> HostFault) throws -> ChainObject {
    switch value {
    case .object(let object):
      if let chain = object as? ChainObject { return chain }
    case .string(let text):
      return ChainObject(try SamplerChain.parse(text).map { Stage($0) })
    case .table(let table):
      guard table.fields.isEmpty else { throw fault("expected a list of stages, found named fields") }
      return ChainObject(try table.array.enumerated().map { try stage($0.element, number: $0.offset + 1, fault) })
    default: break
    }
    throw fault("expected a list of stages, found \(value.kind)")
  }

  private static func stage(_ value: LuaValue, number: Int, _ fault: (String) -> HostFault) throws -> Stage {
    switch value {
    case .string(let name): return Stage(StageDescription(name))
    case .function(let function):
      return .script(LuaStage.Definition(name: "stage \(number)", apply: function), LuaTable())
    case .table(let table):
      guard case .string(let name)? = table.array.first else { return try script(table, number: number, fault) }
      if SamplerChain.knows(name) { return .native(try native(name, table, fault)) }
      var parameters = table
      parameters.array.removeFirst()
      return .plugin(name, parameters)
    default:
      throw fault(
        "stage \(number): expected { \"name\", ... }, a function or a table with apply or pick, found \(value.kind)")
    }
  }

  private static func native(_ name: String, _ table: LuaTable, _ fault: (String) -> HostFault) throws
    -> StageDescription
  {
    let schema = SamplerChain.catalogue.first { $0.name == name }
    var description = StageDescription(name)
    guard table.array.count <= 2 else { throw fault("stage \"\(name)\": expected its name and named parameters") }
    var fields = table.fields
    // { "top_k", 40 }: the stage's first parameter.
    if table.array.count == 2 {
      guard let first = schema?.parameters.first else { throw fault("stage \"\(name)\" takes no parameter") }
      fields.append((.string(first.name), table.array[1]))
    }
    for (key, value) in fields {
      guard case .string(let parameter) = key else {
        throw fault("stage \"\(name)\": expected named parameters, found a \(key.kind) as a name")
      }
      let kind = schema?.parameters.first { $0.name == parameter }?.kind
      guard let value = parameterValue(value, kind) else {
        throw fault("stage \"\(name)\", parameter '\(parameter)': cannot be a \(value.kind)")
      }
      description.parameters[parameter] = value
    }
    return description
  }

  private static func parameterValue(
    _ value: LuaValue, _ kind: StageSchema.Parameter.Kind?
  ) -> StageDescription.Value? {
    switch value {
    case .bool(let value): return .bool(value)
    case .string(let text): return .text(text)
    case .integer, .number: return value.double.map { .number($0) }
    case .table(let table):
      if kind == .biases || !table.fields.isEmpty { return biases(table).map { .biases($0) } }
      let numbers = table.array.compactMap(\.double)
      if numbers.count == table.array.count { return .numbers(numbers) }
      let texts = table.array.compactMap { if case .string(let text) = $0 { text } else { String?.none } }
      return texts.count == table.array.count ? .texts(texts) : nil
    default: return nil
    }
  }

  private static func biases(_ table: LuaTable) -> [TokenID: Float]? {
    // { [1] = x, [2] = y } looks like a list to Lua.
    let all = table.array.enumerated().map { (LuaValue.count($0.offset + 1), $0.element) } + table.fields
    var biases: [TokenID: Float] = [:]
    for (key, value) in all {
      guard let id = key.exactInteger.flatMap({ TokenID(exactly: $0) }), let bias = value.double else { return nil }
      biases[id] = Float(bias)
    }
    return biases
  }

  private static func script(_ table: LuaTable, number: Int, _ fault: (String) -> HostFault) throws -> Stage {
    var name = "stage \(number)"
    if case .string(let given) = table["name"] { name = given }
    return try withoutActuallyEscaping(fault) { fault in
      let fields = try DefinitionFields(.table(table), LuaStage.Definition.fields + ["name"]) {
        fault("\(name): \($0)")
      }
      return .script(try LuaStage.Definition(name: name, fields), try fields.table("params") ?? LuaTable())
    }
  }
}
