/// How far an evaluation has come.
public struct EvaluationProgress: Sendable, Equatable {
  /// What is measured: "tofu, original".
  public let label: String
  /// Items, those of an earlier run included.
  public let done: Int
  public let total: Int
  /// Items that this process has measured, and the seconds that they took.
  public let measured: Int
  public let seconds: Double

  public init(label: String, done: Int, total: Int, measured: Int, seconds: Double) {
    self.label = label
    self.done = done
    self.total = total
    self.measured = measured
    self.seconds = seconds
  }

  /// Items a second; nil before the first.
  public var rate: Double? { measured > 0 && seconds > 0 ? Double(measured) / seconds : nil }
  public var secondsLeft: Double? { rate.map { Double(total - done) / $0 } }
}
