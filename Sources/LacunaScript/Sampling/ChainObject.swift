internal import LacunaEngine

/// A checked list of stages, as scripts hold it. Every generation gets a chain of its own from it.
final class ChainObject: ScriptObject {
  enum Stage {
    case native(StageDescription)
    case script(LuaStage.Definition)
  }

  static var scriptType: ScriptType { .chain }
  let stages: [Stage]

  init(_ stages: [Stage]) { self.stages = stages }

  func make(
    vocabularySize: Int, tokenizer: (any Tokenizer)?, in state: LuaState
  ) throws -> SamplerChain {
    let stages = try stages.map { stage -> SamplerChain.Stage in
      switch stage {
      case .native(let description): .native(description)
      case .script(let definition): .external(name: definition.name, try LuaStage(definition, in: state))
      }
    }
    return try SamplerChain(stages, vocabularySize: vocabularySize, tokenizer: tokenizer)
  }

  // MARK: Reading what a script wrote

  /// A chain's handle, a list of stages, or text as on the command line.
  static func read(_ value: LuaValue, _ fault: (String) -> HostFault) throws -> ChainObject {
    switch value {
    case .object(let object):
      if let chain = object as? ChainObject { return chain }
    case .string(let text):
      return ChainObject(try SamplerChain.parse(text).map { .native($0) })
    case .table(let table):
      guard table.fields.isEmpty else { throw fault("expected a list of stages, found named fields") }
      return ChainObject(try table.array.enumerated().map { try stage($0.element, number: $0.offset + 1, fault) })
    default: break
    }
    throw fault("expected a list of stages, found \(value.kind)")
  }

  private static func stage(_ value: LuaValue, number: Int, _ fault: (String) -> HostFault) throws -> Stage {
    switch value {
    case .string(let name): return .native(StageDescription(name))
    case .function(let function): return .script(LuaStage.Definition(name: "stage \(number)", apply: function))
    case .table(let table):
      if case .string(let name)? = table.array.first { return .native(try native(name, table, fault)) }
      return .script(try script(table, number: number, fault))
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

  private static let scriptKeys = ["name", "apply", "pick", "accept", "init", "params", "argmax_invariant"]

  private static func script(
    _ table: LuaTable, number: Int, _ fault: (String) -> HostFault
  ) throws -> LuaStage.Definition {
    var name = "stage \(number)"
    if case .string(let given) = table["name"] { name = given }
    for (key, _) in table.fields {
      guard case .string(let key) = key, scriptKeys.contains(key) else {
        throw fault("\(name): unknown field '\(key.shown)'\(NearestName.hint(key.shown, in: scriptKeys))")
      }
    }
    func function(_ key: String) throws -> LuaReference? {
      switch table[key] {
      case .nil: return nil
      case .function(let function): return function
      case let other: throw fault("\(name): '\(key)' must be a function, found \(other.kind)")
      }
    }
    var definition = LuaStage.Definition(name: name)
    definition.apply = try function("apply")
    definition.pick = try function("pick")
    definition.accept = try function("accept")
    definition.initialize = try function("init")
    guard (definition.apply == nil) != (definition.pick == nil) else {
      throw fault("\(name): expected either 'apply' (a filter) or 'pick' (a selector)")
    }
    if case .bool(true) = table["argmax_invariant"] { definition.keepsArgmax = true }
    if case .table(let parameters) = table["params"] { definition.parameters = .table(parameters) }
    return definition
  }
}
