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
  /// Messages to segments.
  public let render: @Sendable ([ChatMessage]) throws(LacunaError) -> [Segment]
  /// What ends the assistant's turn where the model does not say it by an EOS token.
  public let stop: [String]
  /// Whether BOS is among the segments where the model wants one, as in templates that come with checkpoints.
  public let writesBOS: Bool

  init(
    name: String, writesBOS: Bool = false, stop: [String] = [],
    render: @escaping @Sendable ([ChatMessage]) throws(LacunaError) -> [Segment]
  ) {
    self.name = name
    self.writesBOS = writesBOS
    self.stop = stop
    self.render = render
  }

  public static let builtIn: [ChatTemplate] = [llama2Chat, tofu, chatML, raw]

  /// The prompt's tokens. The text is encoded as one, because pieces may span segments; control tokens are read in the
  /// template's own segments only.
  /// - Parameter isContinuation: the prompt goes on from tokens that are there: no BOS.
  public func encode(
    _ messages: [ChatMessage], with tokenizer: any Tokenizer, isContinuation: Bool = false
  ) throws(LacunaError) -> [TokenID] {
    var text = ""
    var markup: [Range<Int>] = []
    for segment in try render(messages) where !segment.text.isEmpty {
      let start = text.utf8.count
      text += segment.text
      guard segment.isSpecial else { continue }
      if let last = markup.last, last.upperBound == start {
        markup[markup.count - 1] = last.lowerBound..<text.utf8.count
      } else {
        markup.append(start..<text.utf8.count)
      }
    }
    let ids = tokenizer.encode(text, bos: !writesBOS && !isContinuation, markup: markup)
    if writesBOS, isContinuation, let bos = tokenizer.bos, ids.first == bos { return Array(ids.dropFirst()) }
    return ids
  }
}
