/// In progress.
public struct StreamDecoder: Sendable {
  public init(tokenizer: any Tokenizer, afterPrompt: Bool = false, special: Bool = false) { fatalError("in progress") }
  public mutating func append(_ token: TokenID) -> String { fatalError("in progress") }
  public mutating func flush() -> String { fatalError("in progress") }
}
