import LacunaEngine

/// What forking a session of 2,000 tokens costs, logits included; or taking half of it back.
final class SessionCost: Measurement {
  enum Step: String {
    case fork, rewind
  }

  private let subject: BenchSubject
  private let step: Step
  private var session: Session?
  static let count = 2000
  private static let repetitions = 50

  init(_ subject: BenchSubject, _ step: Step) {
    self.subject = subject
    self.step = step
  }

  var name: String { step.rawValue }
  var title: String { step == .fork ? "fork of \(Self.count) tokens" : "rewind by \(Self.count / 2) tokens" }
  var unit: MeasuredUnit { .seconds }
  var bound: Bound { .budget(100e-6) }

  func sample() throws -> Double {
    let session = try session ?? subject.session(Self.count, kv: subject.engine.info.kvType)
    self.session = session
    _ = try session.borrowedLogits()
    var taken = 0.0
    for _ in 0..<Self.repetitions {
      switch step {
      case .fork: taken += try seconds { _ = try session.fork() }
      case .rewind:
        let fork = try session.fork()
        taken += try seconds { try fork.rewind(to: Self.count / 2) }
      }
    }
    return taken / Double(Self.repetitions)
  }
}
