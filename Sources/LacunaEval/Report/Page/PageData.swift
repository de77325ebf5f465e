import LacunaEngine

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// What the page's script shows: every row with what each model made of it. Its reader is Assets/report.js.
extension RunReport {
  /// JSON for a script element: "<" only as \u003c, so that no text can end the element.
  var pageData: HTML {
    let value = JSONText.object([
      (
        "models",
        .array(
          columns.indices.map {
            .object([("title", .string(columns[$0].title)), ("style", .string(style($0)))])
          })
      ),
      ("tasks", .object(taskTitles)), ("extras", .array(probeFigures.map { .string($0.title) })),
      ("limits", .array(KnowledgeScale.limits.map(JSONText.real))), ("items", .array(pageItems)),
    ])
    let parts = value.compact().split(
      separator: UInt8(ascii: "<"), omittingEmptySubsequences: false)
    return HTML(
      trusted: parts.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "\\u003c"))
  }

  private var taskTitles: [(String, JSONText)] {
    var titles = Self.taskOrder.map { ($0.rawValue, JSONText.string($0.title)) }
    for item in items where !titles.contains(where: { $0.0 == item.place.task }) {
      titles.append((item.place.task, .string(item.place.task)))
    }
    return titles
  }

  private var pageItems: [JSONText] {
    let measured = columns.indices.map { Measured(self, $0) }
    let extras = probeFigures
    return items.map { item in
      let tokens = columns.map { column in item.task.flatMap { column.tokens[$0]?[item.row] } }
      // The pieces of the true answer are the same for models of one tokenizer: once a row, then.
      let pieces = tokens.lazy.compactMap { $0?.answer.map(\.text) }.first
      let models = columns.indices.map { column -> JSONText in
        let values = extras.map { $0.values[column]?[item.place].map(Self.rounded) ?? .null }
        var members = measured[column].row(item).map { row in
          pageEntry(row, item, ratio: measured[column].ratio(item), pieces: pieces, tokens: tokens[column])
        }
        if extras.contains(where: { $0.values[column]?[item.place] != nil }) {
          members = (members ?? []) + [("extras", .array(values))]
        }
        return members.map(JSONText.object) ?? .null
      }
      return .object([
        ("task", .string(item.place.task)), ("row", .integer(item.row)), ("question", .string(item.question)),
        ("answer", .string(item.answer)), ("pieces", pieces.map(Self.strings) ?? .null), ("models", .array(models)),
      ])
    }
  }

  private func pageEntry(
    _ row: TOFURow, _ item: Item, ratio: Double?, pieces: [String]?, tokens: TOFUTokens?
  ) -> [(String, JSONText)] {
    var members: [(String, JSONText)] = [
      ("loss", Self.rounded(row.answer.average)),
      ("probability", item.task.map { Self.rounded(scoring.probability(row, $0)) } ?? .null),
      ("ratio", ratio.map(Self.rounded) ?? .null), ("rouge", Self.rounded(row.rougeLRecall)),
      ("said", row.generated.map { .string($0.text) } ?? .null),
    ]
    if let tokens {
      members.append(("answerLosses", Self.losses(tokens.answer)))
      if tokens.answer.map(\.text) != pieces { members.append(("pieces", Self.strings(tokens.answer.map(\.text)))) }
      members.append(("saidPieces", Self.strings(tokens.generated.map(\.text))))
      members.append(("saidLosses", Self.losses(tokens.generated)))
    }
    return members
  }

  private static func strings(_ texts: [String]) -> JSONText { .array(texts.map(JSONText.string)) }

  /// -ln p in hundredths of a nat.
  private static func losses(_ tokens: [TOFUTokens.Token]) -> JSONText {
    .array(tokens.map { .integer(Int((min(-$0.logProbability, 1000) * 100).rounded())) })
  }

  /// Five significant digits: what is shown has three.
  private static func rounded(_ value: Double) -> JSONText {
    guard value.isFinite, value != 0 else { return .finite(value) }
    let scale = pow(10, 4 - log10(abs(value)).rounded(.down))
    return .finite(scale.isFinite ? (value * scale).rounded() / scale : 0)
  }
}
