public import LacunaEngine

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// An evaluation's figures, to print.
public struct TOFUSummary: Sendable {
  public let figures: TOFUFigures
  public let forgetQuality: TwoSampleKS?

  public init(figures: TOFUFigures, forgetQuality: TwoSampleKS?) {
    self.figures = figures
    self.forgetQuality = forgetQuality
  }

  /// `{"forget_quality":{"p","D","k","n","m"},"model_utility","tasks":{"eval_log.json":{...}}}`; null for what was not
  /// measured.
  public var json: String { String(decoding: JSONText.object(members).compact(), as: UTF8.self) }

  var members: [(String, JSONText)] {
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
      ("Prob", .finite(figures.probability)), ("TR", .finite(figures.truthRatio)), ("n", .integer(figures.count)),
    ])
  }

  /// For people: a line a task, then what they come to.
  public var table: String {
    var lines = ["                 ROUGE-L   probability   truth ratio   rows"]
    for task in TOFUTask.allCases {
      guard let row = figures.tasks[task] else { continue }
      let cells = [
        column(decimal(row.rougeLRecall, 4), 9), column(decimal(row.probability, 4), 14),
        column(decimal(row.truthRatio, 4), 14), column(String(row.count), 7),
      ]
      lines.append(task.title + String(repeating: " ", count: 15 - task.title.count) + cells.joined())
    }
    lines.append("")
    lines.append("model utility    " + (figures.modelUtility.map { decimal($0, 4) } ?? "not measured"))
    if let test = forgetQuality {
      lines.append(
        "forget quality   \(decimal(test.p, 4))   (D \(decimal(test.distance, 4)), k \(test.k), n \(test.n), m \(test.m))"
      )
    } else {
      lines.append("forget quality   needs a reference")
    }
    return lines.joined(separator: "\n")
  }
}

extension JSONText {
  /// The number, or null for what is none.
  package static func finite(_ value: Double) -> JSONText { value.isFinite ? .real(value) : .null }
}

private func column(_ text: String, _ width: Int) -> String {
  String(repeating: " ", count: max(1, width - text.count)) + text
}

/// Fixed notation, and for what would round to nothing three digits and a power of ten.
func decimal(_ value: Double, _ digits: Int) -> String {
  guard value.isFinite, abs(value) < 1e9 else { return value.description }
  let isSmall = value != 0 && abs(value) < 1e-3
  let exponent = isSmall ? Int(log10(abs(value)).rounded(.down)) : 0
  let shown = isSmall ? abs(value) / pow(10, Double(exponent)) : abs(value)
  let places = isSmall ? 2 : digits
  let text = String(Int((shown * pow(10, Double(places))).rounded()))
  let padded = String(repeating: "0", count: max(0, places + 1 - text.count)) + text
  let number = (value < 0 ? "-" : "") + padded.dropLast(places) + "." + padded.suffix(places)
  return isSmall ? number + "e\(exponent)" : number
}
