public import LacunaEngine

/// What was measured of a question, as the store keeps it.
struct TOFURecord {
  /// Losses with their token counts: the answer, its paraphrase, the wrong answers.
  var losses: [TOFURow.Loss]
  var tokens: TOFUTokens
  var generated: TOFURow.Generated

  init(
    scores: [AnswerScore], question: TOFUQuestion, generated: [(token: TokenID, logProbability: Float)],
    tokenizer: any Tokenizer
  ) {
    func tokens(_ ids: [TokenID], _ logProbabilities: [Float]) -> [TOFUTokens.Token] {
      zip(TOFUTokens.texts(of: ids, tokenizer), logProbabilities).map {
        TOFUTokens.Token(text: $0, logProbability: Double($1))
      }
    }
    losses = scores.map { TOFURow.Loss(average: -$0.mean, count: $0.count) }
    self.tokens = TOFUTokens(
      answer: tokens(scores.first?.tokens ?? [], scores.first?.scores.map(\.logProbability) ?? []),
      generated: tokens(generated.map(\.token), generated.map(\.logProbability)))
    self.generated = TOFURow.Generated(
      prompt: question.prompt, text: tokenizer.decode(generated.map(\.token)), reference: question.item.answer)
  }

  /// JSON, the same text for the same record.
  var text: String {
    let losses = losses.map { JSONText.array([.real($0.average), .integer($0.count ?? 0)]) }
    let value = JSONText.object([
      ("losses", .array(losses)), ("logprobs", Self.logProbabilities(tokens.answer)),
      ("pieces", Self.texts(tokens.answer)),
      ("generated", .array([.string(generated.prompt), .string(generated.text), .string(generated.reference)])),
      ("generated_pieces", Self.texts(tokens.generated)),
      ("generated_logprobs", Self.logProbabilities(tokens.generated)),
    ])
    return String(decoding: value.compact(), as: UTF8.self)
  }

  private static func texts(_ tokens: [TOFUTokens.Token]) -> JSONText { .array(tokens.map { .string($0.text) }) }

  private static func logProbabilities(_ tokens: [TOFUTokens.Token]) -> JSONText {
    // They come from 32-bit numbers, whose digits say all there is.
    .array(tokens.map { .real(Float($0.logProbability)) })
  }

  /// The row of a log.
  /// - Throws: `malformed` naming the field.
  static func row(_ record: ResultStore.Record, file: String) throws(LacunaError) -> TOFURow {
    let fields = try JSONFields(Array(record.value.utf8), file: "\(file): \(record.task), row \(record.row)")
    guard case .array(let pairs)? = fields["losses"], pairs.count > 2 else {
      throw fields.refusal("losses", "an array of 3 or more", fields["losses"]?.shown ?? "nothing")
    }
    var losses: [TOFURow.Loss] = []
    for pair in pairs {
      guard case .array(let values) = pair, values.count == 2, let average = values[0].number,
        case .integer(let count) = values[1]
      else { throw fields.refusal("losses", "pairs of a loss and a count", pair.shown) }
      losses.append(TOFURow.Loss(average: average, count: count))
    }
    guard let texts = try fields.strings("generated"), texts.count == 3 else {
      throw fields.refusal("generated", "prompt, text and reference", fields["generated"]?.shown ?? "nothing")
    }
    let rouge = Rouge(target: texts[2], prediction: texts[1])
    return TOFURow(
      index: record.row, answer: losses[0], paraphrase: losses[1], perturbed: Array(losses[2...]),
      rouge1Recall: rouge.rouge1Recall, rougeLRecall: rouge.rougeLRecall,
      generated: TOFURow.Generated(prompt: texts[0], text: texts[1], reference: texts[2]))
  }
}

extension ResultStore {
  /// The log of a role's records; nil if it has none.
  public func tofuLog(of role: Role) throws(LacunaError) -> TOFULog? {
    var tasks: [TOFUTask: [TOFURow]] = [:]
    for task in TOFUTask.allCases {
      var rows: [TOFURow] = []
      for record in try records(of: role, task: task.rawValue) { rows.append(try TOFURecord.row(record, file: path)) }
      if !rows.isEmpty { tasks[task] = rows }
    }
    return tasks.isEmpty ? nil : TOFULog(name: "\(path), \(role.rawValue)", tasks: tasks)
  }
}
