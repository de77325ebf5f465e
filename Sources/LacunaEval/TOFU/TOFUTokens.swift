public import LacunaEngine

/// A question's answers token by token: the true one, and what the model said.
public struct TOFUTokens: Sendable, Equatable {
  public struct Token: Sendable, Equatable {
    /// The text that the token completes; empty within a character of several tokens, a control token by its name.
    public var text: String
    /// Under the model's own distribution; natural logarithm.
    public var logProbability: Double

    public init(text: String, logProbability: Double) {
      self.text = text
      self.logProbability = logProbability
    }
  }

  /// The scored tokens of the true answer, EOS among them.
  public var answer: [Token]
  /// The generated ones, without one that ended the text.
  public var generated: [Token]

  public init(answer: [Token], generated: [Token]) {
    self.answer = answer
    self.generated = generated
  }
}

extension TOFUTokens {
  /// Texts of tokens that go on from a prompt: joined they are all of its text.
  static func texts(of tokens: [TokenID], _ tokenizer: any Tokenizer) -> [String] {
    var decoder = StreamDecoder(tokenizer: tokenizer, afterPrompt: true, special: true)
    var texts = tokens.map { decoder.append($0) }
    let rest = decoder.flush()
    if !rest.isEmpty { texts[texts.count - 1] += rest }
    return texts
  }

  /// - Returns: nil for a record without tokens.
  /// - Throws: `malformed` naming the field.
  init?(_ record: ResultStore.Record, file: String) throws(LacunaError) {
    let fields = try JSONFields(Array(record.value.utf8), file: "\(file): \(record.task), row \(record.row)")
    guard let answer = try Self.tokens(fields, "pieces", "logprobs"),
      let generated = try Self.tokens(fields, "generated_pieces", "generated_logprobs")
    else { return nil }
    self.init(answer: answer, generated: generated)
  }

  private static func tokens(
    _ fields: JSONFields, _ pieces: String, _ logProbabilities: String
  ) throws(LacunaError) -> [Token]? {
    guard let texts = try fields.strings(pieces) else { return nil }
    guard case .array(let values)? = fields[logProbabilities], values.count == texts.count else {
      throw fields.refusal(
        logProbabilities, "an array of \(texts.count), as \(pieces) is", fields[logProbabilities]?.shown ?? "nothing")
    }
    var tokens: [Token] = []
    for (text, value) in zip(texts, values) {
      guard let number = value.number else { throw fields.refusal(logProbabilities, "numbers", value.shown) }
      // Written with the digits of a 32-bit number: only as such is it the number that was measured.
      tokens.append(Token(text: text, logProbability: Double(Float(number))))
    }
    return tokens
  }
}

extension ResultStore {
  /// Tokens of a task's answers by row; rows that were recorded without them are left out.
  public func tofuTokens(of role: Role, task: TOFUTask) throws(LacunaError) -> [Int: TOFUTokens] {
    var found: [Int: TOFUTokens] = [:]
    for record in try records(of: role, task: task.rawValue) {
      found[record.row] = try TOFUTokens(record, file: path)
    }
    return found
  }
}
