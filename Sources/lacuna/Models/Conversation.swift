import LacunaEngine
import LacunaScript

/// Messages under a chat template, and the tokens that they make.
struct Conversation {
  private(set) var messages: [ChatMessage] = []
  let template: ChatTemplate
  /// False for a template that knows a single question only: every message then stands by itself.
  let remembersTurns: Bool
  private let tokenizer: any Tokenizer
  private let system: String?

  /// - Parameter template: nil for the one that fits the checkpoint.
  init(engine: Engine, template name: String?, system: String?, _ registry: PluginRegistry) throws {
    tokenizer = try engine.requireTokenizer("chat")
    template = try registry.template(name, for: engine)
    self.system = system
    let turns = ["user", "assistant", "user"].map { ChatMessage(role: $0, content: "a") }
    remembersTurns = (try? template.render(turns)) != nil
    reset()
  }

  /// Forgets all turns.
  mutating func reset() {
    messages = system.map { [ChatMessage(role: "system", content: $0)] } ?? []
  }

  /// Adds the user's message.
  /// - Returns: the tokens of what the model shall see, up to where its reply begins.
  mutating func ask(_ text: String) throws(LacunaError) -> [TokenID] {
    let message = ChatMessage(role: "user", content: text)
    let seen = remembersTurns ? messages + [message] : messages.filter { $0.role == "system" } + [message]
    let tokens = try template.encode(seen, with: tokenizer)
    messages.append(message)
    return tokens
  }

  /// Adds the model's reply.
  mutating func answer(_ text: String) { messages.append(ChatMessage(role: "assistant", content: text)) }

  /// Takes the last message back: it led nowhere.
  mutating func takeBack() { if messages.last?.role == "user" { messages.removeLast() } }
}
