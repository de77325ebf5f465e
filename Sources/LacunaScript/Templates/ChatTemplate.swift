public import LacunaEngine

/// A turn of a conversation.
public struct ChatMessage: Sendable, Equatable {
  /// "system", "user" or "assistant".
  public let role: String
  public let content: String

  public init(role: String, content: String) {
    self.role = role
    self.content = content
  }

  static func list(_ value: LuaValue, _ fault: (LuaValue) -> HostFault) throws -> [ChatMessage] {
    guard case .table(let table) = value, table.fields.isEmpty else { throw fault(value) }
    return try table.array.map { element in
      guard case .table(let message) = element, case .string(let role) = message["role"],
        case .string(let content) = message["content"]
      else { throw fault(element) }
      return ChatMessage(role: role, content: content)
    }
  }
}

/// How messages become a prompt: segments, of which only the template's own may hold control tokens.
public struct ChatTemplate: Sendable {
  /// A piece of a prompt.
  public struct Segment: Sendable, Equatable {
    public let text: String
    /// Whether control tokens written in the text count as such. Never for what a user wrote.
    public let isSpecial: Bool

    static func markup(_ text: String) -> Segment { Segment(text: text, isSpecial: true) }
    static func content(_ text: String) -> Segment { Segment(text: text, isSpecial: false) }
  }

  public let name: String
  /// Messages to segments; the prompt's BOS is not among them.
  public let render: @Sendable ([ChatMessage]) throws(LacunaError) -> [Segment]
  /// What ends the assistant's turn where the model does not say it by an EOS token.
  public let stop: [String]

  public static let builtIn: [ChatTemplate] = [llama2Chat, tofu, chatML, raw]

  /// - Parameters:
  ///   - name: nil for the one that the checkpoint's own template or vocabulary asks for.
  ///   - others: names that exist elsewhere, for messages.
  /// - Throws: `invalidArgument` for an unknown name; `unsupported` where none is named and none fits.
  public static func named(
    _ name: String?, for engine: Engine?, others: [String] = []
  ) throws(LacunaError) -> ChatTemplate {
    guard let name else {
      guard let engine else {
        throw LacunaError(.invalidArgument, "template: expected a name or a model, found neither")
      }
      return try fitting(engine)
    }
    guard let template = builtIn.first(where: { $0.name == name }) else {
      let names = builtIn.map(\.name) + others
      throw LacunaError(
        .invalidArgument,
        "template: expected \(names.joined(separator: ", ")), found \"\(name)\"\(NearestName.hint(name, in: names))")
    }
    return template
  }

  private static func fitting(_ engine: Engine) throws(LacunaError) -> ChatTemplate {
    if let text = engine.chatTemplate {
      if text.contains("<|im_start|>") { return chatML }
      if text.contains("<<SYS>>") { return llama2Chat }
      if text.contains("[INST]") { return tofu }
    }
    throw LacunaError(
      .unsupported,
      "\(engine.info.name): no chat template that Lacuna knows fits the checkpoint; "
        + "name one: template = \(builtIn.map { "\"\($0.name)\"" }.joined(separator: ", "))")
  }

  /// The prompt's tokens. The text is encoded as one where no segment holds control tokens, because pieces may span
  /// segments; control tokens in content stay text.
  /// - Parameter isContinuation: the prompt goes on from tokens that are there: no BOS.
  public func encode(
    _ messages: [ChatMessage], with tokenizer: any Tokenizer, isContinuation: Bool = false
  ) throws(LacunaError) -> [TokenID] {
    let segments = try render(messages)
    var ids: [TokenID] = []
    var atStart = !isContinuation
    var run = ""
    func flush() {
      guard !run.isEmpty || atStart else { return }
      ids += tokenizer.encode(run, bos: atStart, special: false)
      atStart = false
      run = ""
    }
    for segment in segments {
      // Markup is read apart only where it does hold control tokens.
      let plain = tokenizer.encode(segment.text, bos: false, special: false)
      if segment.isSpecial, tokenizer.encode(segment.text, bos: false, special: true) != plain {
        flush()
        ids += tokenizer.encode(segment.text, bos: false, special: true)
      } else {
        run += segment.text
      }
    }
    flush()
    return ids
  }
}
