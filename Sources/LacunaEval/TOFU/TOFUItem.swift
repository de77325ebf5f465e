package import LacunaEngine

/// A row of a data file: a question, its answer, and other answers to score beside it.
public struct TOFUItem: Sendable, Equatable {
  public var question: String
  public var answer: String
  /// The answer in other words; only the fictitious authors' rows have one.
  public var paraphrasedAnswer: String?
  public var paraphrasedQuestion: String?
  /// Wrong answers; empty in the plain files.
  public var perturbedAnswers: [String]

  public init(
    question: String, answer: String, paraphrasedAnswer: String? = nil, paraphrasedQuestion: String? = nil,
    perturbedAnswers: [String] = []
  ) {
    self.question = question
    self.answer = answer
    self.paraphrasedAnswer = paraphrasedAnswer
    self.paraphrasedQuestion = paraphrasedQuestion
    self.perturbedAnswers = perturbedAnswers
  }
}

extension TOFUItem {
  /// Reads JSON lines: one object a line, whatever the file's suffix.
  /// - Throws: `malformed` naming the line and the field.
  package static func read(_ bytes: [UInt8], file: String) throws(LacunaError) -> [TOFUItem] {
    var items: [TOFUItem] = []
    var number = 0
    for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      number += 1
      guard let first = line.first(where: { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D }) else { continue }
      let place = "\(file), line \(number)"
      guard first != UInt8(ascii: "[") else {
        throw LacunaError(.malformed, "\(place): expected a JSON object a line, found an array")
      }
      items.append(try item(try JSONFields(Array(line), file: place)))
    }
    guard !items.isEmpty else { throw LacunaError(.malformed, "\(file): expected rows, found none") }
    return items
  }

  private static func item(_ fields: JSONFields) throws(LacunaError) -> TOFUItem {
    func text(_ name: String) throws(LacunaError) -> String {
      guard let value = try fields.string(name) else { throw fields.refusal(name, "a string", "nothing") }
      guard !value.isEmpty else { throw fields.refusal(name, "a text", "an empty string") }
      return value
    }
    return TOFUItem(
      question: try text("question"), answer: try text("answer"),
      paraphrasedAnswer: try fields.string("paraphrased_answer"),
      paraphrasedQuestion: try fields.string("paraphrased_question"),
      perturbedAnswers: try fields.strings("perturbed_answer") ?? [])
  }
}
