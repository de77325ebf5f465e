public import LacunaEngine

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// How a log is turned into figures.
public struct TOFUScoring: Sendable {
  public var profile = TOFUProfile(.paper)
  public var truthRatio = TruthRatio.geometric

  public init() {}

  /// What the forget-quality test compares, a number a row.
  public func column(_ rows: [TOFURow]) -> [Double] {
    rows.map { row in
      truthRatio.column(
        right: row.paraphrase.average, wrong: row.perturbed.map(\.average), epsilon: profile.epsilon)
    }
  }

  /// The probability of a row's answer: per token, and of questions with options its share of all options'.
  func probability(_ row: TOFURow, _ task: TOFUTask) -> Double {
    let right = exp(-row.answer.average)
    guard task.isChoice else { return right }
    return right / (right + row.perturbed.reduce(0) { $0 + exp(-$1.average) } + profile.epsilon)
  }
}

/// A task's means over its rows.
public struct TOFUTaskFigures: Sendable, Equatable {
  public let count: Int
  public let rouge1Recall: Double
  public let rougeLRecall: Double
  public let probability: Double
  public let truthRatio: Double
  /// The share of answers that were given word for word; nil where a log holds no texts.
  public let recited: Double?

  public init(_ rows: [TOFURow], task: TOFUTask, scoring: TOFUScoring) {
    count = rows.count
    rouge1Recall = Statistics.mean(rows.map(\.rouge1Recall))
    rougeLRecall = Statistics.mean(rows.map(\.rougeLRecall))
    probability = Statistics.mean(rows.map { scoring.probability($0, task) })
    let texts = rows.compactMap(\.generated)
    recited = texts.count == rows.count ? Double(texts.count { $0.text == $0.reference }) / Double(count) : nil
    let ratio = scoring.truthRatio
    truthRatio = Statistics.mean(
      scoring.column(rows).map {
        ratio.score($0, forgets: task == .forget, epsilon: scoring.profile.epsilon)
      })
  }
}

/// The figures of one evaluation.
public struct TOFUFigures: Sendable, Equatable {
  public let tasks: [TOFUTask: TOFUTaskFigures]

  public init(_ log: TOFULog, scoring: TOFUScoring = TOFUScoring()) {
    var tasks: [TOFUTask: TOFUTaskFigures] = [:]
    for (task, rows) in log.tasks { tasks[task] = TOFUTaskFigures(rows, task: task, scoring: scoring) }
    self.tasks = tasks
  }

  /// ROUGE-L recall, probability and truth ratio of real authors, world facts and what is to be kept. nil unless all three
  /// were measured.
  public var utilityParts: [Double]? {
    var parts: [Double] = []
    for task in TOFUTask.utilityTasks {
      guard let figures = tasks[task] else { return nil }
      parts += [figures.rougeLRecall, figures.probability, figures.truthRatio]
    }
    return parts
  }

  /// The harmonic mean of `utilityParts`.
  public var modelUtility: Double? { utilityParts.map(Statistics.harmonicMean) }
}

extension TOFULog {
  /// Forget quality: the two-sample KS test of the truth ratios against those of a model that never saw what was to be
  /// forgotten, over the same rows.
  /// - Throws: `invalidArgument` if a log has no forget task, or the rows are not the same.
  public func forgetQuality(
    against reference: TOFULog, scoring: TOFUScoring = TOFUScoring()
  ) throws(LacunaError) -> TwoSampleKS {
    try check(alignsWith: reference)
    return try truthRatioTest(against: reference, scoring: scoring)
  }

  /// The test alone: whether the rows are the same was looked at before.
  /// - Throws: `invalidArgument` if a log has no forget task.
  func truthRatioTest(against reference: TOFULog, scoring: TOFUScoring) throws(LacunaError) -> TwoSampleKS {
    try TwoSampleKS(scoring.column(try forgetRows()), scoring.column(try reference.forgetRows()))
  }

  /// - Throws: `invalidArgument` if a log has no forget task, or the rows are not the same.
  func check(alignsWith reference: TOFULog) throws(LacunaError) {
    let (rows, others) = (try forgetRows(), try reference.forgetRows())
    let difference =
      rows.count != others.count
      ? "have \(rows.count) and \(others.count) rows"
      : zip(rows, others).lazy.compactMap { $0.difference(from: $1) }.first
    if let difference {
      throw LacunaError(
        .invalidArgument, "forget quality compares the same rows: \(name) and \(reference.name) \(difference)")
    }
  }

  private func forgetRows() throws(LacunaError) -> [TOFURow] {
    guard let rows = tasks[.forget] else {
      throw LacunaError(
        .invalidArgument, "\(name): forget quality needs the task \(TOFUTask.forget.logName), found none")
    }
    return rows
  }
}

extension TOFURow {
  /// What two rows have that cannot be of the same question; nil if nothing speaks against it.
  func difference(from other: TOFURow) -> String? {
    if index != other.index { return "have rows \(index) and \(other.index) in the same place" }
    if perturbed.count != other.perturbed.count {
      return "have \(perturbed.count) and \(other.perturbed.count) wrong answers to row \(index)"
    }
    if let prompt = generated?.prompt, let otherPrompt = other.generated?.prompt, prompt != otherPrompt {
      return "ask \"\(prompt.clipped)\" and \"\(otherPrompt.clipped)\" in row \(index)"
    }
    for (loss, otherLoss) in zip([paraphrase] + perturbed, [other.paraphrase] + other.perturbed) {
      if let count = loss.count, let otherCount = otherLoss.count, count != otherCount {
        return "have answers of \(count) and \(otherCount) tokens in row \(index)"
      }
    }
    return nil
  }
}
