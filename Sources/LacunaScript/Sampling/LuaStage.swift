internal import LacunaEngine

/// A stage of a sampler chain written in Lua: a function, or a table with `apply` or `pick`, and perhaps `init`,
/// `accept`, `params`.
///
/// Its state is plain data. After every accepted token a copy is kept, so that rewinding gives back what the stage had,
/// changes made by `apply` included, and a fork goes on from a copy of its own.
final class LuaStage: SamplerChain.ExternalStage {
  /// What the script or plugin wrote, shared by every fork.
  struct Definition {
    static let fields = ["params", "apply", "pick", "accept", "init", "argmax_invariant", "description"]

    let name: String
    var apply: LuaReference?
    var pick: LuaReference?
    var accept: LuaReference?
    var initialize: LuaReference?
    var keepsArgmax = false
    /// The state that wrote it, which is where its functions are called.
    var home: LuaState {
      get throws {
        guard let function = apply ?? pick else { preconditionFailure("\(name) neither applies nor picks") }
        return try function.home()
      }
    }
    /// One line, of a plugin's.
    private(set) var summary: String?

    init(name: String, apply: LuaReference) {
      self.name = name
      self.apply = apply
    }

    /// - Parameter fields: a table of `Definition.fields`; what `params` is differs between scripts and plugins.
    init(name: String, _ fields: DefinitionFields) throws {
      self.name = name
      apply = try fields.function("apply")
      pick = try fields.function("pick")
      accept = try fields.function("accept")
      initialize = try fields.function("init")
      keepsArgmax = try fields.bool("argmax_invariant") ?? false
      summary = try fields.string("description")
      guard (apply == nil) != (pick == nil) else {
        throw fields.fault("expected either 'apply' (a filter) or 'pick' (a selector)")
      }
    }
  }

  /// Whose stage it is; kept while that is in use, even if the registry has a newer one by now.
  private let plugin: Plugin?
  private let definition: Definition
  private let parameters: LuaValue
  /// Whether `apply` or `pick` has a parameter for the step, which takes longer to make than many a stage to run.
  private let takesStep: Bool
  private var data: LuaReference
  /// `history[n]`: the state after n accepted tokens.
  private var history: [LuaValue]
  private let source = ViewSource()

  var isSelector: Bool { definition.pick != nil }
  var keepsArgmax: Bool { definition.keepsArgmax }
  /// Plain data: what the stage knows after the tokens accepted so far.
  var savedState: LuaValue { history[history.count - 1] }

  /// The state that the functions and the data live in.
  private var state: LuaState { get throws { try data.home() } }

  /// - Parameters:
  ///   - context: what `init` gets as its second argument.
  ///   - saved: the `savedState` to go on from; nil lets `init` make the first.
  init(
    _ definition: Definition, parameters: LuaTable, context: LuaValue = .table(LuaTable()), saved: LuaValue? = nil,
    plugin: Plugin? = nil, in state: LuaState
  ) throws {
    self.definition = definition
    self.parameters = .table(parameters)
    self.plugin = plugin
    takesStep = (definition.apply ?? definition.pick).map { state.takes(4, $0) } ?? false
    var first = saved ?? .table(LuaTable())
    if saved == nil, let initialize = definition.initialize {
      first = try state.step(initialize, [self.parameters, context]).first ?? .nil
    }
    data = try state.hold(first)
    // Also the check that it is plain data.
    history = [try state.read(data)]
  }

  private init(copying other: LuaStage) throws {
    definition = other.definition
    parameters = other.parameters
    takesStep = other.takesStep
    plugin = other.plugin
    history = other.history
    let state = try other.state
    data = try state.hold(try state.read(other.data))
  }

  func apply(_ logits: UnsafeMutableBufferPointer<Float>, _ context: SamplingContext) throws {
    guard let apply = definition.apply else { return }
    _ = try run(apply, logits, context, wantsResults: false)
  }

  func pick(_ logits: UnsafeMutableBufferPointer<Float>, _ context: SamplingContext) throws -> TokenID {
    guard let pick = definition.pick else { preconditionFailure("\(definition.name) is no selector") }
    let result = try run(pick, logits, context, wantsResults: true).first ?? .nil
    guard let number = result.exactInteger, let token = TokenID(exactly: number) else {
      throw HostFault.error(
        code: "invalid_argument",
        message: "sampler stage \"\(definition.name)\": pick must return a token id, found \(result.shown)")
    }
    return token
  }

  private func run(
    _ function: LuaReference, _ logits: UnsafeMutableBufferPointer<Float>, _ context: SamplingContext,
    wantsResults: Bool
  ) throws -> [LuaValue] {
    // Whoever keeps the Vec finds it stale.
    defer { source.advance() }
    let view = LuaView(floats: logits, source: source, isWritable: true, anchor: nil)
    var arguments: [LuaValue] = [.view(view), parameters, .reference(data)]
    if takesStep { arguments.append(step(context)) }
    return try state.step(function, arguments, wantsResults: wantsResults)
  }

  private func step(_ context: SamplingContext) -> LuaValue {
    // Filters and the selector draw from streams of their own, as native stages do.
    let lane = context.lane == 0 ? context.stream : SeededRandom.hash(context.stream, UInt64(context.lane))
    return .record([
      "index": .count(context.tokens.count - context.promptCount), "position": .count(context.position),
      "prompt": .count(context.promptCount), "tokens": .integers(Array(context.tokens)),
      "rng": .random(seed: context.seed, stream: lane, position: UInt64(context.position)),
    ])
  }

  func accept(_ token: TokenID) throws {
    if let accept = definition.accept {
      try state.step(accept, [.integer(Int64(token)), parameters, .reference(data)], wantsResults: false)
    }
    history.append(try state.read(data))
  }

  func fork() throws -> any SamplerChain.ExternalStage { try LuaStage(copying: self) }

  func rewind(toAccepted count: Int) throws {
    guard count + 1 < history.count else { return }
    history.removeLast(history.count - count - 1)
    data = try state.hold(history[count])
  }
}
