import LacunaEngine

/// Tokens a second of one session that already holds `context` tokens.
final class DecodeSpeed: Measurement {
  private let subject: BenchSubject
  private let context: Int
  private let kv: Engine.KVType
  private let isOtherKV: Bool

  /// Long enough for a clock, short enough for many rounds.
  private static let leastSeconds = 0.5
  private static let tokenCounts = 3...64

  init(_ subject: BenchSubject, context: Int, kv: Engine.KVType? = nil) {
    self.subject = subject
    self.context = context
    self.kv = kv ?? subject.engine.info.kvType
    isOtherKV = kv != nil
  }

  /// Positions that a sample may use.
  static func positions(context: Int) -> Int { context + tokenCounts.upperBound + 1 }

  var name: String { isOtherKV ? "decode-\(kv.rawValue)-\(context)" : "decode-\(context)" }
  var title: String { "decode, context \(context)" + (isOtherKV ? ", \(kv.rawValue) keys and values" : "") }
  var unit: MeasuredUnit { .tokens }

  var bound: Bound {
    let bytesPerPosition = (try? subject.engine(kv).info.kvBytesPerToken) ?? 0
    return .work(
      bytes: subject.weightBytes + Double(context * bytesPerPosition),
      operations: subject.operationsPerToken + subject.operationsOfHead + subject.operationsOfAttention(Double(context))
    )
  }

  func sample() throws -> Double {
    // The last token's pass copies the page that it shares with the session this one was forked from.
    let session = try subject.session(context, kv: kv)
    _ = try session.borrowedLogits()
    var count = 0
    let start = ContinuousClock.now
    while count < Self.tokenCounts.lowerBound
      || (count < Self.tokenCounts.upperBound && seconds(since: start) < Self.leastSeconds)
    {
      try session.append(subject.token(count))
      _ = try session.borrowedLogits()
      count += 1
    }
    return seconds(since: start) / Double(count)
  }
}
