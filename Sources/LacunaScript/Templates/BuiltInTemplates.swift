internal import LacunaEngine

extension ChatTemplate {
  /// Llama 2's chat form: `[INST] <<SYS>>...<</SYS>> question [/INST] answer </s><s>[INST] ...`
  static let llama2Chat = ChatTemplate(name: "llama2-chat") { (messages) throws(LacunaError) in
    var segments: [Segment] = []
    var system: String?
    var turns = messages[...]
    if turns.first?.role == "system" { system = turns.removeFirst().content.trimmed }
    for (index, message) in turns.enumerated() {
      switch message.role {
      case "user" where index % 2 == 0:
        if index > 0 { segments.append(.markup("<s>")) }
        segments.append(.markup("[INST] "))
        if let text = system {
          segments += [.markup("<<SYS>>\n"), .content(text), .markup("\n<</SYS>>\n\n")]
          system = nil
        }
        segments += [.content(message.content.trimmed), .markup(" [/INST]")]
      case "assistant" where index % 2 == 1:
        segments += [.markup(" "), .content(message.content.trimmed), .markup(" "), .markup("</s>")]
      default:
        throw LacunaError(
          .invalidArgument,
          "template llama2-chat: expected user and assistant in turn, found \"\(message.role)\" at \(index + 1)")
      }
    }
    return segments
  }

  /// What TOFU's models were tuned on (Maini et al. 2024): `[INST] question [/INST]`, one turn, no system text.
  static let tofu = ChatTemplate(name: "tofu") { (messages) throws(LacunaError) in
    guard messages.count == 1, messages[0].role == "user" else {
      throw LacunaError(
        .invalidArgument, "template tofu: expected one user message, found \(messages.count) messages")
    }
    return [.markup("[INST] "), .content(messages[0].content), .markup(" [/INST]")]
  }

  static let chatML = ChatTemplate(name: "chatml", stop: ["<|im_end|>"]) { (messages) throws(LacunaError) in
    var segments: [Segment] = []
    for message in messages {
      guard ["system", "user", "assistant", "tool"].contains(message.role) else {
        throw LacunaError(
          .invalidArgument, "template chatml: expected system, user, assistant or tool, found \"\(message.role)\"")
      }
      segments += [
        .markup("<|im_start|>\(message.role)\n"), .content(message.content), .markup("<|im_end|>\n"),
      ]
    }
    return segments + [.markup("<|im_start|>assistant\n")]
  }

  /// The contents, joined by newlines.
  static let raw = ChatTemplate(name: "raw") { (messages) throws(LacunaError) in
    [.content(messages.map(\.content).joined(separator: "\n"))]
  }
}

extension String {
  fileprivate var trimmed: String {
    let isSpace: (Character) -> Bool = { $0.isWhitespace }
    return String(drop(while: isSpace).reversed().drop(while: isSpace).reversed())
  }
}
