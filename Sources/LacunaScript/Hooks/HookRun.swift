internal import LacunaEngine

/// The hooks of one generation, and their states.
///
/// Each hook has a table of its own, `ctx.state`, of plain data; a rewind gives back what it held when as many tokens
/// were there.
final class HookRun {
  private unowned let state: LuaState
  private let hooks: [HookSet.Hook]
  private let session: SessionObject?
  private var data: [LuaReference]
  /// `history[n][hook]`: the states before the token with number n was drawn.
  private var history: [[LuaValue]] = []
  private let source = ViewSource()
  private let takesTokensBack: Bool
  private var rewinds = 0
  var step = 0

  init(_ set: HookSet, session: SessionObject?, in state: LuaState) throws {
    hooks = set.hooks
    takesTokensBack = set.has("on_token")
    self.session = session
    self.state = state
    data = try hooks.map { try ($0.owner?.state ?? state).hold(.table(LuaTable())) }
  }

  /// The state that a hook's functions and data live in.
  private func home(_ hook: Int) -> LuaState { hooks[hook].owner?.state ?? state }

  /// Goes into `options` whatever hooks there are.
  func attach(to options: inout Generation.Options) {
    if has("on_logits") { options.onLogits = { [self] logits, _ in try onLogits(logits) } }
    if has("on_token") { options.onToken = { [self] token, logProbability in try onToken(token, logProbability) } }
    if has("on_text") { options.onText = { [self] piece in try onText(piece) } }
  }

  private func has(_ name: String) -> Bool { hooks.contains { $0.functions[name] != nil } }

  // MARK: States

  /// To be called before each token is drawn.
  func keep(generatedCount: Int) throws {
    step = generatedCount
    // Nothing else asks for tokens to be taken back.
    guard takesTokensBack else { return }
    if history.count > generatedCount { history.removeLast(history.count - generatedCount) }
    history.append(try data.indices.map { try home($0).read(data[$0]) })
  }

  /// To be called after tokens were taken back.
  func rewind(toGenerated count: Int) throws {
    rewinds += 1
    guard count < history.count else { return }
    data = try hooks.indices.map { try home($0).hold(history[count][$0]) }
  }

  // MARK: Calls

  private func call(
    _ hook: Int, _ name: String, _ value: LuaValue, logProbability: Float? = nil
  ) throws -> LuaValue? {
    guard let function = hooks[hook].functions[name] else { return nil }
    var context = LuaTable()
    context.fields.reserveCapacity(5)
    context.fields.append((.string("step"), .count(step)))
    context.fields.append((.string("rewinds"), .count(rewinds)))
    context.fields.append((.string("state"), .reference(data[hook])))
    if let session { context.fields.append((.string("session"), .object(session))) }
    if let logProbability { context.fields.append((.string("logprob"), .number(Double(logProbability)))) }
    let result = try home(hook).step(function, [value, .table(context)]).first ?? .nil
    return result.isNil ? nil : result
  }

  private func fault(_ hook: Int, _ name: String, _ expected: String, _ found: LuaValue) -> HostFault {
    .error(
      code: "invalid_argument",
      message: "\(hooks[hook].name): \(name) must return \(expected), found \(found.shown)")
  }

  /// Text, or a table of messages.
  func onPrompt(_ prompt: LuaValue) throws -> LuaValue {
    var prompt = prompt
    for hook in hooks.indices {
      guard let result = try call(hook, "on_prompt", prompt) else { continue }
      switch result {
      case .string, .table: prompt = result
      default: throw fault(hook, "on_prompt", "text, messages or nil", result)
      }
    }
    return prompt
  }

  func onTokens(_ tokens: [TokenID]) throws -> [TokenID] {
    var tokens = tokens
    for hook in hooks.indices {
      guard let result = try call(hook, "on_tokens", .integers(tokens)) else { continue }
      tokens = try HostCall.tokens(result) { _ in fault(hook, "on_tokens", "a list of token ids or nil", result) }
    }
    return tokens
  }

  private func onLogits(_ logits: UnsafeMutableBufferPointer<Float>) throws {
    defer { source.advance() }
    let view = LuaView(floats: logits, source: source, isWritable: true, anchor: nil)
    for hook in hooks.indices { _ = try call(hook, "on_logits", .view(view)) }
  }

  private func onToken(_ token: TokenID, _ logProbability: Float) throws -> Generation.TokenDecision {
    var chosen = token
    for hook in hooks.indices {
      let value = LuaValue.integer(Int64(chosen))
      guard let result = try call(hook, "on_token", value, logProbability: logProbability) else { continue }
      if let number = result.exactInteger, let other = TokenID(exactly: number) {
        chosen = other
      } else if case .string("stop") = result {
        return .stop
      } else if case .table(let table) = result, let count = table["rewind"].exactInteger, count >= 0 {
        return .rewind(Int(count))
      } else {
        throw fault(hook, "on_token", "a token id, \"stop\", { rewind = n } or nil", result)
      }
    }
    return chosen == token ? .keep : .replace(chosen)
  }

  private func onText(_ piece: String) throws -> String {
    var piece = piece
    for hook in hooks.indices {
      guard let result = try call(hook, "on_text", .string(piece)) else { continue }
      guard case .string(let text) = result else { throw fault(hook, "on_text", "a string or nil", result) }
      piece = text
    }
    return piece
  }

  /// Fields that the hooks add to the result.
  func onFinish(_ result: LuaTable) throws -> LuaTable {
    var result = result
    for hook in hooks.indices {
      guard let added = try call(hook, "on_finish", .table(result)) else { continue }
      guard case .table(let table) = added else { throw fault(hook, "on_finish", "a table or nil", added) }
      for (key, value) in table.fields {
        guard case .string(let name) = key else { continue }
        result.fields.removeAll { if case .string(name) = $0.key { true } else { false } }
        result.fields.append((key, value))
      }
    }
    return result
  }
}
