public import LacunaEngine

/// How far two evaluations of the same questions are apart, task by task.
public struct RunDifference: Sendable {
  public struct Task: Sendable, Equatable {
    public let task: TOFUTask
    public let rowCount: Int
    /// Of the losses per token of every answer, in nats.
    public let rootMeanSquare: Double
    public let largest: Double
    /// Generated texts that are the same to the letter.
    public let equalTextCount: Int
    public let generatedCount: Int
  }

  public let tasks: [Task]

  /// - Throws: `invalidArgument` if they have no rows in common, or do not ask the same.
  public init(_ a: TOFULog, _ b: TOFULog) throws(LacunaError) {
    var tasks: [Task] = []
    for task in TOFUTask.allCases {
      let others = Dictionary(
        (b.tasks[task] ?? []).map { ($0.index, $0) }, uniquingKeysWith: { first, _ in first })
      let pairs = (a.tasks[task] ?? []).compactMap { row in others[row.index].map { (row, $0) } }
      if pairs.isEmpty { continue }
      var squares = 0.0
      var largest = 0.0
      var count = 0
      for (row, other) in pairs {
        if let difference = row.difference(from: other) {
          throw LacunaError(.invalidArgument, "\(task.rawValue): \(a.name) and \(b.name) \(difference)")
        }
        for (loss, otherLoss) in zip(
          [row.answer, row.paraphrase] + row.perturbed, [other.answer, other.paraphrase] + other.perturbed)
        {
          let difference = abs(loss.average - otherLoss.average)
          squares += difference * difference
          largest = max(largest, difference)
          count += 1
        }
      }
      let texts = pairs.compactMap { row, other in
        row.generated.flatMap { mine in other.generated.map { mine.text == $0.text } }
      }
      tasks.append(
        Task(
          task: task, rowCount: pairs.count, rootMeanSquare: (squares / Double(count)).squareRoot(), largest: largest,
          equalTextCount: texts.count { $0 }, generatedCount: texts.count))
    }
    guard !tasks.isEmpty else {
      throw LacunaError(.invalidArgument, "\(a.name) and \(b.name) have no rows in common")
    }
    self.tasks = tasks
  }
}
