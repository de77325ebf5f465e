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
      ("tasks", .object(Self.taskOrder.map { ($0.rawValue, .string($0.title)) })),
      ("limits", .array(KnowledgeScale.limits.map(JSONText.real))), ("items", .array(pageItems)),
    ])
    let parts = value.compact().split(
      separator: UInt8(ascii: "<"), omittingEmptySubsequences: false)
    return HTML(
      trusted: parts.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "\\u003c"))
  }

  private var pageItems: [JSONText] {
    var rows: [[TOFUTask: [Int: TOFURow]]] = []
    for column in columns {
      rows.append(
        column.log.tasks.mapValues {
          Dictionary($0.map { ($0.index, $0) }, uniquingKeysWith: { a, _ in a })
        })
    }
    var ratios: [[TOFUTask: [Int: Double]]] = []
    for column in columns.indices {
      ratios.append(
        Dictionary(uniqueKeysWithValues: TOFUTask.allCases.map { ($0, truthRatios(column, $0)) }))
    }
    return items.map { item in
      // The pieces of the true answer are the same for models of one tokenizer: once a row, then.
      let pieces = columns.lazy.compactMap { $0.tokens[item.task]?[item.row]?.answer.map(\.text) }
        .first
      let models = columns.indices.map { column -> JSONText in
        guard let row = rows[column][item.task]?[item.row] else { return .null }
        return pageEntry(
          row, item.task, ratio: ratios[column][item.task]?[item.row], pieces: pieces,
          tokens: columns[column].tokens[item.task]?[item.row])
      }
      return .object([
        ("task", .string(item.task.rawValue)), ("row", .integer(item.row)),
        ("question", .string(item.question)),
        ("answer", .string(item.answer)),
        ("pieces", (pieces ?? []).isEmpty ? .null : Self.strings(pieces ?? [])),
        ("models", .array(models)),
      ])
    }
  }

  private func pageEntry(
    _ row: TOFURow, _ task: TOFUTask, ratio: Double?, pieces: [String]?, tokens: TOFUTokens?
  ) -> JSONText {
    var members: [(String, JSONText)] = [
      ("loss", Self.rounded(row.answer.average)),
      ("probability", Self.rounded(scoring.probability(row, task))),
      ("ratio", ratio.map(Self.rounded) ?? .null), ("rouge", Self.rounded(row.rougeLRecall)),
      ("said", row.generated.map { .string($0.text) } ?? .null),
    ]
    if let tokens {
      members.append(("answerLosses", Self.losses(tokens.answer)))
      if tokens.answer.map(\.text) != pieces {
        members.append(("pieces", Self.strings(tokens.answer.map(\.text))))
      }
      members.append(("saidPieces", Self.strings(tokens.generated.map(\.text))))
      members.append(("saidLosses", Self.losses(tokens.generated)))
    }
    return .object(members)
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
