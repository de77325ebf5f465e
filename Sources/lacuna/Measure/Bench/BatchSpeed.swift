import LacunaEngine

/// Tokens a second of several sessions together that are decoded side by side, each of 16 tokens at first.
final class BatchSpeed: Measurement {
  private let subject: BenchSubject
  private let width: Int
  private static let context = 16
  private static let steps = 3

  init(_ subject: BenchSubject, width: Int) {
    self.subject = subject
    self.width = width
  }

  var name: String { "batch-\(width)" }
  var title: String { "\(width) sequences together" }
  var unit: MeasuredUnit { .tokens }

  var bound: Bound {
    .work(
      bytes: subject.weightBytes / Double(width) + Double(Self.context * subject.engine.info.kvBytesPerToken),
      operations: subject.operationsPerToken + subject.operationsOfHead
        + subject.operationsOfAttention(Double(Self.context)))
  }

  func sample() throws -> Double {
    let kv = subject.engine.info.kvType
    let sessions = try (0..<width).map { _ in try subject.session(Self.context, kv: kv) }
    try Batch.forward(sessions)
    let taken = try seconds {
      for step in 0..<Self.steps {
        for (index, session) in sessions.enumerated() { try session.append(subject.token(step * width + index)) }
        try Batch.forward(sessions)
      }
    }
    return taken / Double(width * Self.steps)
  }
}
