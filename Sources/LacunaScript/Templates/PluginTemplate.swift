package import LacunaEngine

/// A template whose segments a plugin makes: one of its own, or the checkpoint's.
package final class PluginTemplate: @unchecked Sendable {
  // SAFETY: a template is used on the thread of the registry that it came from, as everything of a plugin's is.
  private let plugin: Plugin
  private let name: String
  private let definition: PluginKinds.Template
  private let engine: Engine?
  /// The checkpoint's template.
  private let source: String?

  /// What renders a checkpoint's own template.
  static let checkpointRenderer = "jinja/jinja"
  /// For checks without a model.
  static let sample = "{{ bos_token }}{% for m in messages %}<|{{ m.role }}|>{{ m.content }}{% endfor %}"

  /// - Parameter source: the checkpoint's template; by default the engine's.
  package init(
    _ found: (plugin: Plugin, name: String, definition: PluginKinds.Template), engine: Engine?, source: String? = nil
  ) {
    (plugin, name, definition) = found
    self.engine = engine
    self.source = source ?? engine?.chatTemplate
  }

  var chatTemplate: ChatTemplate {
    let label = definition.isCheckpoints ? engine.map { "\($0.info.name)'s own" } ?? name : name
    return ChatTemplate(
      name: label, writesBOS: definition.isCheckpoints, stop: definition.stop + turnEnd
    ) { (messages) throws(LacunaError) in
      try self.segments(of: messages, asking: true)
    }
  }

  /// - Parameter asking: whether the assistant is to speak next.
  package func segments(of messages: [ChatMessage], asking: Bool) throws(LacunaError) -> [ChatTemplate.Segment] {
    do {
      let list = messages.map { LuaValue.record(["role": .string($0.role), "content": .string($0.content)]) }
      let value = try plugin.value(
        try plugin.call(definition.render, [.list(list), options(asking: asking)]), of: "render")
      guard case .table(let table) = value, table.fields.isEmpty else { throw fault(value) }
      return try table.array.map { element in
        guard case .table(let segment) = element, case .string(let text) = segment["text"] else { throw fault(element) }
        if case .bool(true) = segment["special"] { return .markup(text) }
        return .content(text)
      }
    } catch let error as LacunaError {
      throw error
    } catch {
      throw LacunaError(.invalidArgument, "\(label): \(ScriptError(error).description)")
    }
  }

  private var label: String {
    guard definition.isCheckpoints, let engine else { return "template \(name)" }
    return "the chat template of \(engine.info.name)"
  }

  private func options(asking: Bool) -> LuaValue {
    guard definition.isCheckpoints else { return .table(LuaTable()) }
    let tokenizer = engine?.tokenizer
    func piece(_ id: TokenID?) -> LuaValue { .text(id.flatMap { tokenizer?.piece($0) }) }
    return .record([
      "chat_template": .text(source), "add_generation_prompt": .bool(asking),
      "bos_token": piece(tokenizer?.bos), "eos_token": piece(tokenizer?.eos),
      // Nothing else is to depend on the day.
      "now": source?.contains("strftime_now") == true ? CalendarTime.now.record : .nil,
    ])
  }

  /// The control token that the checkpoint's template writes behind what the assistant said, as a stop text: not every
  /// checkpoint lists it as an EOS token.
  private var turnEnd: [String] {
    guard definition.isCheckpoints, let tokenizer = engine?.tokenizer else { return [] }
    let answer = "b"
    let turns = [ChatMessage(role: "user", content: "a"), ChatMessage(role: "assistant", content: answer)]
    guard let segments = try? segments(of: turns, asking: false),
      let place = segments.lastIndex(of: .content(answer)), place + 1 < segments.count
    else { return [] }
    let behind = segments[place + 1].text.drop { $0.isWhitespace }
    guard let first = tokenizer.encode(String(behind), bos: false, special: true).first, tokenizer.isControl(first)
    else { return [] }
    return [tokenizer.piece(first)]
  }

  private func fault(_ found: LuaValue) -> LacunaError {
    LacunaError(
      .invalidArgument,
      "\(label): render must return a list of { text = , special = }, found \(found.shown)")
  }
}
