import LacunaEngine
import LacunaScript

/// Messages under a chat template, and the tokens that they make.
struct Conversation {
  struct Message {
    let role: String
    let content: String
  }

  private(set) var messages: [Message] = []
  let templateName: String
  private let tokenizer: any Tokenizer
  private let system: String?

  /// - Parameter template: nil for the one that fits the checkpoint.
  init(engine: Engine, template: String?, system: String?) throws {
    tokenizer = try engine.requireTokenizer("chat")
    templateName = template ?? "tofu"
    self.system = system
    reset()
  }

  /// Forgets all turns.
  mutating func reset() {
    messages = system.map { [Message(role: "system", content: $0)] } ?? []
  }

  /// Adds the user's message; the tokens of the whole conversation, up to where the reply begins.
  mutating func ask(_ text: String) throws -> [TokenID] {
    messages.append(Message(role: "user", content: text))
    return tokenizer.encode("[INST] \(text) [/INST]", bos: true, special: false)
  }

  /// Adds the model's reply.
  mutating func answer(_ text: String) { messages.append(Message(role: "assistant", content: text)) }

  /// Takes the last message back: it led nowhere.
  mutating func takeBack() { if messages.count > 0 { messages.removeLast() } }
}
