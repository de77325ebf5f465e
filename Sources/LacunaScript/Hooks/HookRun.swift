internal import LacunaEngine

/// The hooks of one generation, and their states.
///
/// Each hook has a table of its own, `ctx.state`, of plain data; a rewind gives back what it held when as many tokens
/// were there. `ctx` itself is one table for all calls: to make one for each was a third of what a call cost.
final class HookRun {
  private let hooks: [HookSet.Hook]
  private var data: [LuaReference]
  private let contexts: [LuaReference]
  /// The states before each token was drawn, a value a hook.
  private var history: [LuaValue] = []
  private let source = ViewSource()
  private let takesTokensBack: Bool
  private var rewinds = 0
  var step = 0

  /// - Parameter state: for hooks without functions.
  init(_ set: HookSet, session: SessionObject?, in state: LuaState) throws {
    hooks = set.hooks
    takesTokensBack = set.has(.token)
    // A session takes its hooks along: they may be another state's.
    let homes = try hooks.map { try $0.functions.first?.value.home() ?? state }
    data = try homes.map { try $0.hold(.table(LuaTable())) }
    let context = LuaValue.record(["session": session.map { .object($0) } ?? .nil])
    contexts = try homes.map { try $0.hold(context) }
  }

  /// The state that a hook's functions and data live in.
  private func home(_ hook: Int) throws -> LuaState { try data[hook].home() }

  /// Goes into `options` whatever hooks there are.
  func attach(to options: inout Generation.Options) {
    if has(.logits) { options.onLogits = { [self] logits, _ in try onLogits(logits) } }
    if has(.token) { options.onToken = { [self] token, logProbability in try onToken(token, logProbability) } }
    if has(.text) { options.onText = { [self] piece in try onText(piece) } }
  }

  private func has(_ moment: HookSet.Moment) -> Bool { hooks.contains { $0.functions[moment] != nil } }

  // MARK: States

  /// To be called before each token is drawn.
  func keep(generatedCount: Int) throws {
    step = generatedCount
    // Nothing else asks for tokens to be taken back.
    guard takesTokensBack else { return }
    history.removeLast(max(history.count - generatedCount * hooks.count, 0))
    for hook in hooks.indices {
      let home = try home(hook)
      // Most hooks keep nothing, and to see that takes less than to read it.
      history.append(home.isEmpty(data[hook]) ? .table(LuaTable()) : try home.read(data[hook]))
    }
  }

  /// To be called after tokens were taken back.
  func rewind(toGenerated count: Int) throws {
    rewinds += 1
    let start = count * hooks.count
    guard start < history.count else { return }
    data = try hooks.indices.map { try home($0).hold(history[start + $0]) }
  }

  // MARK: Calls

  private func call(
    _ hook: Int, _ moment: HookSet.Moment, _ value: LuaValue, logProbability: LuaValue = .nil,
    wantsResult: Bool = true
  ) throws -> LuaValue? {
    guard let function = hooks[hook].functions[moment] else { return nil }
    let context = LuaValue.change(
      contexts[hook],
      fields: [
        (.string("step"), .count(step)), (.string("rewinds"), .count(rewinds)),
        (.string("state"), .reference(data[hook])),
        (.string("logprob"), logProbability),
      ])
    let result = try home(hook).step(function, [value, context], wantsResults: wantsResult).first ?? .nil
    return result.isNil ? nil : result
  }

  private func fault(_ hook: Int, _ moment: HookSet.Moment, _ expected: String, _ found: LuaValue) -> HostFault {
    .error(
      code: "invalid_argument",
      message: "\(hooks[hook].name): \(moment.name) must return \(expected), found \(found.shown)")
  }

  /// Text, or a table of messages.
  func onPrompt(_ prompt: LuaValue) throws -> LuaValue {
    var prompt = prompt
    for hook in hooks.indices {
      guard let result = try call(hook, .prompt, prompt) else { continue }
      switch result {
      case .string, .table: prompt = result
      default: throw fault(hook, .prompt, "text, messages or nil", result)
      }
    }
    return prompt
  }

  func onTokens(_ tokens: [TokenID]) throws -> [TokenID] {
    var tokens = tokens
    for hook in hooks.indices {
      guard let result = try call(hook, .tokens, .integers(tokens)) else { continue }
      tokens = try HostCall.tokens(result) { _ in fault(hook, .tokens, "a list of token ids or nil", result) }
    }
    return tokens
  }

  private func onLogits(_ logits: UnsafeMutableBufferPointer<Float>) throws {
    defer { source.advance() }
    let view = LuaView(floats: logits, source: source, isWritable: true, anchor: nil)
    for hook in hooks.indices { _ = try call(hook, .logits, .view(view), wantsResult: false) }
  }

  private func onToken(_ token: TokenID, _ logProbability: Float) throws -> Generation.TokenDecision {
    var chosen = token
    for hook in hooks.indices {
      let value = LuaValue.integer(Int64(chosen))
      guard let result = try call(hook, .token, value, logProbability: .number(Double(logProbability))) else {
        continue
      }
      if let number = result.exactInteger, let other = TokenID(exactly: number) {
        chosen = other
      } else if case .string("stop") = result {
        return .stop
      } else if case .table(let table) = result, let count = table["rewind"].exactInteger, count >= 0 {
        return .rewind(Int(count))
      } else {
        throw fault(hook, .token, "a token id, \"stop\", { rewind = n } or nil", result)
      }
    }
    return chosen == token ? .keep : .replace(chosen)
  }

  private func onText(_ piece: String) throws -> String {
    var piece = piece
    for hook in hooks.indices {
      guard let result = try call(hook, .text, .string(piece)) else { continue }
      guard case .string(let text) = result else { throw fault(hook, .text, "a string or nil", result) }
      piece = text
    }
    return piece
  }

  /// Fields that the hooks add to the result.
  func onFinish(_ result: LuaTable) throws -> LuaTable {
    var result = result
    for hook in hooks.indices {
      guard let added = try call(hook, .finish, .table(result)) else { continue }
      guard case .table(let table) = added else { throw fault(hook, .finish, "a table or nil", added) }
      for (key, value) in table.fields {
        guard case .string(let name) = key else { continue }
        result.fields.removeAll { if case .string(name) = $0.key { true } else { false } }
        result.fields.append((key, value))
      }
    }
    return result
  }
}
