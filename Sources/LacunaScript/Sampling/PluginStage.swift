public import LacunaEngine

// Stages of sampler chains that plugins provide.

extension SamplerChain {
  /// Whether a native stage has the name.
  static func knows(_ name: String) -> Bool { catalogue.contains { $0.name == name } }
}

extension ChainObject.Stage {
  /// Of a stage as it is written on a command line: native ones go before plugins'. "min-p" is `min_p`.
  init(_ description: StageDescription) {
    let folded = String(description.name.map { $0 == "-" ? "_" : $0 })
    guard !SamplerChain.knows(folded) else {
      self = .native(StageDescription(folded, description.parameters))
      return
    }
    let fields = description.parameters.map { (key: LuaValue.string($0.key), value: LuaValue($0.value)) }
    self = .plugin(description.name, LuaTable(fields: fields))
  }
}

extension LuaValue {
  init(_ value: StageDescription.Value) {
    switch value {
    case .number(let number): self = Int64(exactly: number).map { .integer($0) } ?? .number(number)
    case .bool(let flag): self = .bool(flag)
    case .text(let text): self = .string(text)
    case .numbers(let numbers): self = .list(numbers.map { .number($0) })
    case .texts(let texts): self = .list(texts.map { .string($0) })
    case .biases(let biases):
      self = .table(
        LuaTable(fields: biases.map { (.integer(Int64($0.key)), .number(Double($0.value))) }))
    }
  }
}

extension PluginRegistry {
  /// A plugin's sampler and its parameters, checked.
  /// - Throws: `invalidArgument`: no such stage, native ones among what is near; or naming stage and parameter.
  func checkedSampler(
    _ word: String, _ given: LuaTable
  ) throws -> (plugin: Plugin, label: String, stage: LuaStage.Definition, parameters: LuaTable) {
    guard try catalog().find(.sampler, word) != nil else {
      let hint = SamplerChain.hint(word, and: try catalog().names(of: .sampler, short: true))
      throw LacunaError(
        .invalidArgument,
        "sampler stage \"\(word)\": no such stage\(hint)\(try catalog().placeHint(word))\(try catalog().trustHint)"
      )
    }
    let (plugin, name, definition) = try sampler(named: word)
    let label = "\(plugin.name)/\(name)"
    let parameters = try definition.schema.resolve(given, subject: "sampler stage \"\(label)\"")
    return (plugin, label, definition.stage, parameters)
  }

  /// A stage for one generation.
  /// - Throws: as `checkedSampler`.
  func stage(
    _ word: String, _ given: LuaTable, vocabularySize: Int, engine: Engine?, saved: LuaValue? = nil
  ) throws -> SamplerChain.Stage {
    let (plugin, label, definition, parameters) = try checkedSampler(word, given)
    return .external(
      name: label,
      try LuaStage(
        definition, parameters: parameters, context: plugin.context.stageContext(engine, vocabularySize),
        saved: saved, plugin: plugin, in: plugin.state))
  }

  /// The command line's stages with a selector at the end: without one, `dist` draws.
  public func complete(_ descriptions: [StageDescription]) throws -> [StageDescription] {
    let endsChain: Bool
    switch descriptions.last.map({ ChainObject.Stage($0) }) {
    case .native(let last)?: endsChain = SamplerChain.catalogue.contains { $0.name == last.name && $0.isSelector }
    case .plugin(let name, let given)?: endsChain = try checkedSampler(name, given).stage.pick != nil
    case .script?, nil: endsChain = false
    }
    return endsChain ? descriptions : descriptions + [StageDescription("dist")]
  }

  /// A chain from the command line's stages.
  /// - Throws: as `stage`, and as `SamplerChain.init`.
  public func chain(_ descriptions: [StageDescription], for engine: Engine) throws -> SamplerChain {
    let vocabularySize = engine.config.vocabSize
    let stages = try complete(descriptions).map { description -> SamplerChain.Stage in
      switch ChainObject.Stage(description) {
      case .native(let native): .native(native)
      case .plugin(let name, let given): try stage(name, given, vocabularySize: vocabularySize, engine: engine)
      case .script: preconditionFailure("a description is no script")
      }
    }
    return try SamplerChain(stages, vocabularySize: vocabularySize, tokenizer: engine.tokenizer)
  }
}

extension ScriptContext {
  /// What a stage's `init` gets as `ctx`: { vocab, model }.
  func stageContext(_ engine: Engine?, _ vocabularySize: Int) -> LuaValue {
    .record(["vocab": .count(vocabularySize), "model": engine.map { .object(model($0)) } ?? .nil])
  }
}
