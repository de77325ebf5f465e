internal import LacunaEngine

/// What a script gives to go on from: one of `messages` (perhaps with `template`), `tokens` and `text`.
struct ScriptPrompt {
  static let options = ["messages", "template", "tokens", "text"]

  private let kind: String
  private let table: OptionTable

  /// nil where the table names none.
  init?(_ table: OptionTable) throws {
    let given = ["messages", "tokens", "text"].filter { table.has($0) }
    guard given.count <= 1 else {
      throw table.fault(given[1], "one of messages, tokens and text", .string("\(given[0]) as well"))
    }
    guard given.first == "messages" || !table.has("template") else {
      throw table.fault("template", "messages beside it", .string("none"))
    }
    guard let kind = given.first else { return nil }
    self.kind = kind
    self.table = table
  }

  /// - Parameters:
  ///   - hooks: their `on_prompt` sees text and messages, their `on_tokens` what those became.
  ///   - isContinuation: tokens are there already: no BOS.
  func encode(
    _ model: ModelObject, hooks: HookRun?, _ registry: PluginRegistry, isContinuation: Bool
  ) throws -> [TokenID] {
    var ids: [TokenID]
    if kind == "tokens" {
      ids = try table.tokens("tokens") ?? []
    } else {
      // For its check of the kind.
      if kind == "text" { _ = try table.string("text") } else { _ = try table.table("messages") }
      let prompt = try hooks?.onPrompt(table[kind]) ?? table[kind]
      ids = try encode(prompt, model, registry, isContinuation: isContinuation)
    }
    return try hooks?.onTokens(ids) ?? ids
  }

  /// Text as it is, messages under the template.
  private func encode(
    _ prompt: LuaValue, _ model: ModelObject, _ registry: PluginRegistry, isContinuation: Bool
  ) throws -> [TokenID] {
    if case .string(let text) = prompt {
      return try model.tokenizer().encode(text, bos: !isContinuation, special: false)
    }
    let template = try registry.template(try table.string("template"), for: model.engine)
    let messages = try ChatMessage.list(prompt) { table.fault("messages", "a list of { role = , content = }", $0) }
    return try template.encode(messages, with: try model.tokenizer(), isContinuation: isContinuation)
  }
}
