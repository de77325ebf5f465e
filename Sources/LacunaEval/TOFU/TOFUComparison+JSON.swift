package import LacunaEngine

extension TOFUComparison {
  /// The first column's figures, the others' under "original" and "reference", and the rules that all were judged by; "notes"
  /// where there are any.
  public var json: String {
    let notes: [(String, JSONText)] = notes.isEmpty ? [] : [("notes", .array(notes.map { .string($0) }))]
    return String(decoding: JSONText.object(members + notes).compact(), as: UTF8.self)
  }

  /// Without notes.
  package var members: [(String, JSONText)] {
    var members: [(String, JSONText)] = []
    for (index, column) in columns.enumerated() {
      if index == 0 {
        members += column.members
      } else {
        members.append((column.role.rawValue, .object(column.members)))
      }
    }
    members.append(("profile", .string(scoring.profile.name.rawValue)))
    members.append(("truth_ratio", .string(scoring.truthRatio.rawValue)))
    return members
  }
}

extension TOFUComparison.Column {
  /// `"forget_quality":{"p","D","k","n","m"},"model_utility","tasks":{"eval_log.json":{...}}`; null for what was not measured.
  fileprivate var members: [(String, JSONText)] {
    let tasks = TOFUTask.allCases.compactMap { task in figures.tasks[task].map { (task.logName, Self.value($0)) } }
    return [
      ("forget_quality", forgetQuality.map(Self.value) ?? .null),
      ("model_utility", figures.modelUtility.map(JSONText.finite) ?? .null), ("tasks", .object(tasks)),
    ]
  }

  private static func value(_ test: TwoSampleKS) -> JSONText {
    .object([
      ("p", .finite(test.p)), ("D", .finite(test.distance)), ("k", .integer(test.k)), ("n", .integer(test.n)),
      ("m", .integer(test.m)),
    ])
  }

  private static func value(_ figures: TOFUTaskFigures) -> JSONText {
    .object([
      ("ROUGE", .finite(figures.rougeLRecall)), ("ROUGE1", .finite(figures.rouge1Recall)),
      ("Prob", .finite(figures.probability)), ("TR", .finite(figures.truthRatio)),
      ("word_for_word", figures.recited.map(JSONText.finite) ?? .null), ("n", .integer(figures.count)),
    ])
  }
}

extension JSONText {
  /// The number, or null for what is none.
  package static func finite(_ value: Double) -> JSONText { value.isFinite ? .real(value) : .null }
}
