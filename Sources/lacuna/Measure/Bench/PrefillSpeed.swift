import LacunaEngine

/// Tokens a second of a prompt, from an empty session to the logits after its last token.
final class PrefillSpeed: Measurement {
  private let subject: BenchSubject
  private let count: Int

  init(_ subject: BenchSubject, count: Int) {
    self.subject = subject
    self.count = count
  }

  var name: String { "prefill-\(count)" }
  var title: String { "prefill of \(count)" }
  var unit: MeasuredUnit { .tokens }

  /// Keys and values are written and read again while they are in a cache: the weights alone count, once.
  var bound: Bound {
    let count = Double(self.count)
    return .work(
      bytes: subject.weightBytes / count,
      operations: subject.operationsPerToken + subject.operationsOfHead / count
        + subject.operationsOfAttention((count + 1) / 2))
  }

  func sample() throws -> Double {
    let session = try subject.engine.makeSession()
    session.onProgress = PromptProgress().update
    try session.append((0..<count).map { subject.token($0) })
    return try seconds { _ = try session.borrowedLogits() } / Double(count)
  }
}
